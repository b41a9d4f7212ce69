//! Every status that the API can answer now, provoked from outside, and the order in which they are found.

use serde_json::json;

use crate::harness::{Client, Server};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const ROUTE: &str = "/api/v1/webhook_out_subs/create";

/// Method, path, headers, body; code and status of the answer.
type Case<'a> = (
    &'a str,
    &'a str,
    &'a [(&'a str, &'a str)],
    &'a str,
    u16,
    &'a str,
);

#[test]
fn each_status_is_provoked_and_found_in_its_order() {
    let mut server = Server::start();
    let token = server.token.clone();
    let client = server.client();
    let good = json!({ "token": token, "key": "a", "name": "A" }).to_string();
    let none = "{\"key\": \"a\"}";
    let cases: &[Case<'_>] = &[
        (
            "POST",
            "/api/v1/nothing/create",
            JSON,
            "{}",
            500,
            "route-non-existent",
        ),
        (
            "POST",
            "/api/v1/webhook_out_subs",
            JSON,
            "{}",
            500,
            "route-non-existent",
        ),
        (
            "POST",
            "/api/v1/webhook_out_subs/create/",
            JSON,
            "{}",
            500,
            "route-non-existent",
        ),
        ("POST", "/api/", JSON, "{}", 500, "route-non-existent"),
        ("GET", ROUTE, JSON, "", 500, "route-non-existent"),
        ("PUT", ROUTE, JSON, "{}", 500, "route-non-existent"),
        (
            "POST",
            "/api/v1/orders/update",
            JSON,
            "{}",
            500,
            "route-non-existent",
        ),
        ("POST", ROUTE, &[], &good, 400, "invalid-content-type"),
        (
            "POST",
            ROUTE,
            &[("content-type", "text/plain")],
            "nonsense",
            400,
            "invalid-content-type",
        ),
        (
            "POST",
            ROUTE,
            JSON,
            "nonsense",
            400,
            "invalid-encoded-params",
        ),
        ("POST", ROUTE, JSON, "[1]", 400, "invalid-encoded-params"),
        (
            "POST",
            ROUTE,
            JSON,
            "{\"token\":",
            400,
            "invalid-encoded-params",
        ),
        ("POST", ROUTE, JSON, "", 400, "no-params-decoded"),
        ("POST", ROUTE, JSON, "{}", 400, "no-params-decoded"),
        ("POST", ROUTE, JSON, "null", 400, "no-params-decoded"),
        ("POST", ROUTE, JSON, none, 400, "missing-param"),
        (
            "POST",
            ROUTE,
            JSON,
            "{\"token\": \"pra_x\"}",
            401,
            "invalid-token",
        ),
        ("POST", ROUTE, JSON, &good, 400, "missing-param"),
        (
            "POST",
            "/api/v1/integrations/create",
            JSON,
            &good,
            200,
            "action-successful",
        ),
        (
            "POST",
            "/api/v1/integrations/create",
            JSON,
            &good,
            400,
            "invalid-param",
        ),
        (
            "POST",
            "/api/v1/integrations/index",
            &[
                ("content-type", "application/json; charset=utf-8"),
                ("authorization", &format!("Bearer {token}")),
            ],
            "",
            200,
            "action-successful",
        ),
        (
            "POST",
            "/api/v1/integrations/index",
            &[
                ("content-type", "application/json"),
                ("authorization", "Bearer pra_x"),
            ],
            "{}",
            401,
            "invalid-token",
        ),
        (
            "POST",
            "/api/v1/integrations/index",
            &[("authorization", &format!("Bearer {token}"))],
            "",
            200,
            "action-successful",
        ),
        (
            "POST",
            "/api/v1/integrations/index",
            &[
                ("content-type", "application/json"),
                ("authorization", &format!("Bearer {token}")),
            ],
            "null",
            200,
            "action-successful",
        ),
        (
            "POST",
            "/api/v1/integrations/index",
            &[
                ("content-type", "application/json"),
                ("authorization", &format!("Bearer {token}")),
            ],
            "{\"token\": null}",
            200,
            "action-successful",
        ),
        (
            "POST",
            "/api/v1/integrations/index",
            &[("authorization", &format!("Bearer {token}"))],
            "{}",
            400,
            "invalid-content-type",
        ),
    ];
    for (method, path, headers, body, code, status) in cases {
        let answer = client.send(method, path, headers, body.as_bytes());
        let case = format!("{method} {path} {body}: {}", answer.text);
        assert_eq!(
            (answer.code, answer.status().as_str()),
            (*code, *status),
            "{case}"
        );
        assert_eq!(
            answer.header("content-type"),
            Some("application/json"),
            "{case}"
        );
    }
}

#[test]
fn a_body_above_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let mut server = Server::start();
    let limit = 1 << 20;
    for (length, code, status) in [
        (limit, 400, "invalid-encoded-params"),
        (limit + 1, 413, "body-too-large"),
        (20 * limit, 413, "body-too-large"),
    ] {
        let mut client = Client::new(server.address);
        let answer = client.send("POST", ROUTE, JSON, &vec![b'x'; length]);
        assert_eq!((answer.code, answer.status().as_str()), (code, status));
    }
    let mut client = Client::new(server.address);
    let answer = client.send("POST", "/api/v1/none", JSON, &vec![b'x'; 3 * limit]);
    assert_eq!(answer.status(), "route-non-existent");
    let answer = server.call("integrations/index", json!({}));
    assert_eq!(answer.status(), "action-successful");
}

#[test]
fn elsewhere_a_missing_page_is_html() {
    let mut server = Server::start();
    let answer = server.client().send("GET", "/nothing", &[], b"");
    assert_eq!(answer.code, 404);
    assert!(
        answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
    );
    assert!(answer.text.contains("<html"), "{}", answer.text);
}

#[test]
fn health_and_readiness_are_told() {
    let mut server = Server::start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            server.client().send("GET", path, &[], b"").code,
            200,
            "{path}"
        );
    }
}

#[test]
fn an_application_sees_its_own_integration_only() {
    let mut server = Server::start();
    let mine = server.integration("mine");
    let theirs = server.integration("theirs");
    let made = server.command(&[
        "application",
        "create",
        "--slug",
        "narrow",
        "--integration",
        "mine",
        "--json",
    ]);
    assert!(made.status.success(), "{made:?}");
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let token = made["token"].clone();
    let index = |server: &mut Server, id: i64| {
        server.call(
            "webhook_out_subs/index",
            json!({ "token": token, "integration_id": id }),
        )
    };
    assert_eq!(index(&mut server, mine).status(), "action-successful");
    let hidden = index(&mut server, theirs).json();
    let missing = index(&mut server, 999).json();
    assert_eq!(
        hidden, missing,
        "what one may not see looks like what does not exist"
    );
    assert_eq!(hidden["status"], "invalid-param");
    let listed = server.call("integrations/index", json!({ "token": token }));
    assert_eq!(listed.data().as_array().map(Vec::len), Some(1));
    let refused = server.call(
        "integrations/create",
        json!({ "token": token, "key": "x", "name": "X" }),
    );
    assert_eq!(
        (refused.code, refused.status().as_str()),
        (403, "permission-denied")
    );
}

#[test]
fn a_renewed_token_replaces_the_old_one_within_a_second() {
    let mut server = Server::start();
    server.call("integrations/index", json!({})).data();
    let rotated = server.command(&["application", "rotate-token", "--slug", "test", "--json"]);
    let rotated: serde_json::Value = serde_json::from_slice(&rotated.stdout).expect("JSON");
    server
        .call("integrations/index", json!({ "token": rotated["token"] }))
        .data();
    crate::harness::wait_for("the old token to be refused", || {
        let answer = server.call("integrations/index", json!({}));
        (answer.code == 401).then_some(())
    });
}
