//! Whatever bytes come: never a panic, and always a status that the route declares.

use proptest::prelude::*;

use contract::{Failure, Input, Request, Route};

use crate::routes::{EVERYTHING, MANY, SENSITIVE, base64, run};

const SEEDS: [&str; 2] = [
    r#"{"token":"t","integration_id":1,"key":"k","version":"v2","rate":2.5,"active":false,"stage_at":"1970-01-01T00:00:01.5Z","statuses":["a","b\u00e9"],"ids":[3,-4],"filters":{"status":["x"],"size":5},"headers":[{"name":"n","value":"v"}],"order":{"a":1.10,"b":[null,true]},"notes":[{}],"any":"\ud83d\ude00"}"#,
    r#"{"token":"t","stages":[{"stage":"received","order_id":7,"order":{"a":[1]}},{"stage":"x"}]}"#,
];

/// Asks for everything that `EVERYTHING` and `MANY` declare.
fn ask(route: &Route, input: &Input<'_>) -> Result<(), Failure> {
    for param in route.params {
        match param.name {
            "key" | "version" | "email" | "password" => drop(input.string(param.name)),
            "integration_id" => drop(input.integer(param.name)),
            "rate" => drop(input.number(param.name)),
            "active" => drop(input.boolean(param.name)),
            "stage_at" => drop(input.time(param.name)),
            "statuses" => drop(input.strings(param.name)),
            "ids" => drop(input.integers(param.name)),
            "filters" => drop(
                input
                    .hash(param.name)
                    .map(|hash| (hash.strings("status"), hash.time("after"))),
            ),
            "headers" => drop(input.hashes(param.name)),
            "order" | "notes" | "any" => drop(input.json(param.name)),
            "stages" => {
                for item in input.batch(param.name).into_iter().flatten() {
                    let _ = item.finish(|| Some((item.string("stage")?, item.json("order"))));
                }
            }
            _ => {}
        }
    }
    input.finish(|| Some(()))
}

fn check(body: &[u8], authorization: Option<&str>) {
    for route in [&EVERYTHING, &MANY, &SENSITIVE] {
        let content_type = Some(route.content_type());
        let request = Request {
            content_type,
            authorization,
            idempotency_key: authorization,
            body,
        };
        if let Err(failure) = run(route, &request, |input| ask(route, input)) {
            assert!(
                route.permits(failure.status),
                "{} answers {}",
                route.path(),
                failure.status.slug
            );
            assert_ne!(failure.status.slug, "application-crash");
            let response = failure.into_response();
            let body = serde_json::from_slice::<serde_json::Value>(response.body()).expect("JSON");
            assert_eq!(body["code"], response.status().as_u16());
        }
    }
}

proptest! {
    #[test]
    fn random_bytes(body in prop::collection::vec(any::<u8>(), 0..300), authorization in prop::option::of(".{0,20}")) {
        check(&body, authorization.as_deref());
    }

    #[test]
    fn random_text_in_base64(body in ".{0,200}") {
        check(base64(&body).as_bytes(), None);
        check(body.as_bytes(), None);
    }

    #[test]
    fn mutated_json(
        seed in 0..SEEDS.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, any::<u8>()), 1..6),
    ) {
        let mut body = SEEDS[seed].as_bytes().to_vec();
        for (index, action, byte) in changes {
            let place = index.index(body.len());
            match action {
                0 => body[place] = byte,
                1 => body.insert(place, byte),
                2 => drop(body.remove(place)),
                // One byte of JSON's own characters hits the grammar more often than any other.
                _ => body[place] = b"{}[]\",:\\-0.eunt"[usize::from(byte) % 15],
            }
        }
        check(&body, None);
        check(base64(&String::from_utf8_lossy(&body)).as_bytes(), None);
    }

    #[test]
    fn mutated_values(
        name in prop::sample::select(EVERYTHING.params.iter().map(|param| param.name).collect::<Vec<_>>()),
        value in prop::sample::select(vec![
            "null", "true", "0", "-0", "1.5", "1e400", "\"\"", "\"2026-01-31T12:30:00Z\"", "[]", "[null]", "[[]]", "{}",
            "[{}]", "{\"a\":{}}", "99999999999999999999", "\"\\ud800\"", "\"\\u0000\"",
        ]),
    ) {
        let body = format!(r#"{{"{name}":{value}}}"#);
        check(body.as_bytes(), Some("Bearer t"));
        check(body.as_bytes(), None);
    }
}

#[test]
fn the_unmutated_ones_are_good() {
    for (route, seed) in [(&EVERYTHING, SEEDS[0]), (&MANY, SEEDS[1])] {
        let request = crate::routes::request(route, seed.as_bytes());
        run(route, &request, |input| ask(route, input)).expect("good");
    }
}
