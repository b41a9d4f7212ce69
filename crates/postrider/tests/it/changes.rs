//! Changes that are sent again, and many changes in one request.

use serde_json::json;

use crate::harness::Server;

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
        let headers = [
            ("content-type", "application/json"),
            ("idempotency-key", "sub"),
        ];
        server
            .client()
            .send(
                "POST",
                "/api/v1/webhook_out_subs/create",
                &headers,
                body.to_string().as_bytes(),
            )
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
