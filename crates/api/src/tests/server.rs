//! What the server answers before and beside any handler.

use app::Access;
use axum::body::Body;
use bytes::Bytes;
use contract::{Reply, Route, TOKEN, status};
use futures_util::stream;
use http::{Request, Response, header};

use super::harness::{Fixture, body};
use crate::endpoint::Endpoint;

const PANICS: Route = Route::post("things", "panic").params(&[TOKEN]);
const UNDECLARED: Route = Route::post("things", "undeclared").params(&[TOKEN]);
const SMALL: Route = Route::post("things", "small")
    .params(&[TOKEN])
    .body_bytes_max(200);

const ROUTES: &[Endpoint] = &[
    Endpoint {
        route: &PANICS,
        access: Access::Readers,
        handle: |_| Box::pin(async { panic!("a secret that must not leak") }),
    },
    Endpoint {
        route: &UNDECLARED,
        access: Access::Readers,
        handle: |_| {
            let failure = contract::Failure::of(&status::MANDRILL_EMAIL_FAILED);
            Box::pin(async { Err(failure.into()) })
        },
    },
    Endpoint {
        route: &SMALL,
        access: Access::Readers,
        handle: |_| Box::pin(async { Ok(Reply::of(&"done")?) }),
    },
];

async fn send(fixture: &Fixture, method: &str, path: &str, body: Body) -> Response<Bytes> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-request-id", "the-callers-own")
        .body(body)
        .expect("a request");
    let answer = fixture.api.answer(request).await;
    let id = answer.headers()["x-request-id"].to_str().expect("text");
    assert_eq!(
        (id.len(), id.as_bytes()[14]),
        (36, b'7'),
        "{id} is our own, version 7"
    );
    answer
}

fn padded(token: &str, length: usize) -> String {
    let json = format!(r#"{{"token":"{token}"}}"#);
    format!("{json}{}", " ".repeat(length - json.len()))
}

#[tokio::test]
async fn unknown_paths_are_told_to_programs_and_to_people_apart() {
    let fixture = Fixture::new().await;
    let cases = [
        (
            "POST",
            "/api/v1/orders/creat",
            "did you mean /api/v1/orders/create?",
        ),
        ("POST", "/api/", "There is no such route"),
        ("GET", "/api/v1/orders/create", "takes POST only"),
        ("POST", "/api/v1/orders/update", "takes PUT only"),
    ];
    for (method, path, message) in cases {
        let answer = send(&fixture, method, path, Body::empty()).await;
        assert_eq!(answer.status(), 500, "{path}");
        let answer = body(&answer);
        assert_eq!(answer["status"], "route-non-existent", "{path}");
        assert!(
            answer["message"]
                .as_str()
                .is_some_and(|text| text.contains(message)),
            "{answer}"
        );
    }
    for path in ["/", "/api", "/apis/v1"] {
        let answer = send(&fixture, "GET", path, Body::empty()).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(
            answer.headers()[header::CONTENT_TYPE],
            "text/html; charset=utf-8"
        );
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            send(&fixture, "GET", path, Body::empty()).await.status(),
            200,
            "{path}"
        );
    }
    fixture.close().await;
}

#[tokio::test]
async fn a_store_that_takes_no_work_is_alive_and_not_ready() {
    let fixture = Fixture::new().await;
    store::Store::close(&*fixture.store).await;
    assert_eq!(
        send(&fixture, "GET", "/healthz", Body::empty())
            .await
            .status(),
        200
    );
    assert_eq!(
        send(&fixture, "GET", "/readyz", Body::empty())
            .await
            .status(),
        503
    );
}

#[tokio::test]
async fn panics_and_undeclared_answers_become_a_crash_without_detail() {
    let fixture = Fixture::with(ROUTES).await;
    for path in ["/api/v1/things/panic", "/api/v1/things/undeclared"] {
        let answer = send(&fixture, "POST", path, padded(&fixture.token, 100).into()).await;
        assert_eq!(answer.status(), 500, "{path}");
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert_eq!(body(&answer)["status"], "application-crash", "{path}");
        assert!(
            !text.contains("secret") && !text.contains("mandrill"),
            "{text}"
        );
    }
    fixture.close().await;
}

#[tokio::test]
async fn bodies_are_read_up_to_the_limit_in_one_piece_or_in_many() {
    let fixture = Fixture::with(ROUTES).await;
    for (length, code) in [(100, 200), (200, 200), (201, 413), (5_000, 413)] {
        let text = padded(&fixture.token, length);
        let pieces: Vec<Result<Bytes, std::io::Error>> = text
            .as_bytes()
            .chunks(33)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let bodies = [
            Body::from(text.clone()),
            Body::from_stream(stream::iter(pieces)),
        ];
        for body in bodies {
            let answer = send(&fixture, "POST", "/api/v1/things/small", body).await;
            assert_eq!(answer.status(), code, "{length}");
        }
    }
    fixture.close().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let fixture = Fixture::with(ROUTES).await;
    let pieces = [
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("gone")),
    ];
    let broken = Body::from_stream(stream::iter(pieces));
    let answer = send(&fixture, "POST", "/api/v1/things/small", broken).await;
    assert_eq!(body(&answer)["status"], "invalid-encoded-params");
    fixture.close().await;
}

/// The clock of its timers stands, which only a store within the process bears.
#[tokio::test(start_paused = true)]
async fn a_client_that_stalls_is_cut_off() {
    let fixture = Fixture::embedded(ROUTES).await;
    let stalled = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    let answer = send(&fixture, "POST", "/api/v1/things/small", stalled).await;
    let answer = body(&answer);
    assert_eq!(answer["message"], "The body came too slowly.", "{answer}");
    fixture.close().await;
}
