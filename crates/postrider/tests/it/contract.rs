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
fn a_cursor_goes_on_in_the_list_that_it_comes_from_only() {
    let mut server = Server::start();
    for key in ["c", "a", "b"] {
        server.integration(key);
    }
    let page = |by: &str, order: &str, after: &serde_json::Value| json!({ "sort": { "by": by, "order": order }, "page": { "size": 2, "after": after } });
    let first = server.call("integrations/index", page("key", "asc", &json!(null)));
    let next = first.json()["next"].clone();
    assert!(next.is_string(), "{}", first.text);
    let rest = server.call("integrations/index", page("key", "asc", &next));
    assert_eq!(
        (&rest.data()[0]["key"], &rest.json()["next"]),
        (&json!("c"), &json!(null))
    );
    for (by, order) in [("key", "desc"), ("name", "asc"), ("id", "asc")] {
        let refused = server.call("integrations/index", page(by, order, &next));
        assert_eq!(
            (refused.status().as_str(), refused.attrs()),
            ("invalid-param", vec!["page.after".to_owned()]),
            "{by} {order}"
        );
    }
}

#[test]
fn each_change_of_many_is_taken_or_refused_for_itself() {
    let mut server = Server::start();
    let integration = server.integration("a");
    let good = |order: &str| json!({ "external_order_id": order, "create_order": true, "stage": "ordered" });
    let stages = json!([good("A"), null, { "stage": "nonsense" }, 5, good("B"), { "order_id": 1, "external_order_id": "A", "stage": "hold" }]);
    let answer = server.call(
        "order_stages/create_many",
        json!({ "integration_id": integration, "stages": stages }),
    );
    let receipts = answer.data();
    let seen: Vec<(&str, Vec<&str>)> = receipts
        .as_array()
        .expect("receipts")
        .iter()
        .map(|receipt| {
            let errors = receipt["errors"].as_array();
            let attrs = errors
                .into_iter()
                .flatten()
                .map(|error| error["attr"].as_str().expect("attr"));
            (
                receipt["status"].as_str().expect("a status"),
                attrs.collect(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("action-successful", vec![]),
            ("invalid-param", vec!["stages[1]"]),
            ("missing-param", vec!["stages[2].external_order_id"]),
            ("invalid-param", vec!["stages[3]"]),
            ("action-successful", vec![]),
            ("invalid-param", vec!["stages[5].order_id"]),
        ]
    );
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
    let made = crate::harness::server::run(
        &server.folder(),
        &[
            "application",
            "create",
            "--data",
            ".",
            "--slug",
            "narrow",
            "--integration",
            "mine",
            "--json",
        ],
    );
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
    let rotated = crate::harness::server::run(
        &server.folder(),
        &[
            "application",
            "rotate-token",
            "--data",
            ".",
            "--slug",
            "test",
            "--json",
        ],
    );
    let rotated: serde_json::Value = serde_json::from_slice(&rotated.stdout).expect("JSON");
    server
        .call("integrations/index", json!({ "token": rotated["token"] }))
        .data();
    crate::harness::wait_for("the old token to be refused", || {
        let answer = server.call("integrations/index", json!({}));
        (answer.code == 401).then_some(())
    });
}

#[test]
fn creates_can_be_repeated_with_an_idempotency_key() {
    let mut server = Server::start();
    let integration = server.integration("a");
    let body = json!({ "integration_id": integration, "external_order_id": "A", "create_order": true,
        "stage": "scheduled", "idempotency_key": "once" });
    let first = server.call("order_stages/create", body.clone()).data();
    let again = server.call("order_stages/create", body.clone()).data();
    assert_eq!(first["id"], again["id"]);
    assert_eq!(again["replayed"], true);
    let mut other = body;
    other["stage"] = json!("completed");
    let refused = server.call("order_stages/create", other);
    assert_eq!(
        (refused.status().as_str(), refused.attrs()),
        ("invalid-param", vec!["idempotency_key".to_owned()])
    );
    let stages = server
        .call(
            "order_stages/index",
            json!({ "integration_id": integration }),
        )
        .data();
    assert_eq!(stages.as_array().map(Vec::len), Some(1));

    let create = |server: &mut Server| {
        let body = json!({ "token": server.token, "integration_id": integration, "key": "k", "name": "K",
            "callback_url": "https://example.com/", "version": "v3" });
        let headers = [JSON[0], ("idempotency-key", "sub")];
        server
            .client()
            .send("POST", ROUTE, &headers, body.to_string().as_bytes())
            .data()
    };
    let first = create(&mut server);
    let again = create(&mut server);
    assert_eq!(first["signing_secret"], again["signing_secret"]);
    assert_eq!(
        (&first["id"], &again["replayed"]),
        (&again["id"], &json!(true))
    );
}

#[test]
fn list_items_hold_both_vocabularies() {
    let mut server = Server::start();
    for (key, count) in [("order_status", 20), ("order_event", 12)] {
        let listed = server.call("list_items/index", json!({ "key": key, "count": true }));
        assert_eq!(listed.json()["count"], count, "{}", listed.text);
        assert_eq!(listed.data().as_array().map(Vec::len), Some(count));
    }
}
