//! One answer names all that is wrong, at the places where the caller wrote it.

use serde_json::{Value, json};

use super::harness::{Fixture, attrs};

fn subscription(integration_id: i64, more: Value) -> Value {
    let mut body = json!({
        "integration_id": integration_id, "key": "crm", "name": "CRM",
        "callback_url": "https://example.com/", "version": "v3",
    });
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn slugs_are_named_where_the_caller_wrote_them() {
    let fixture = Fixture::new().await;
    let id = fixture.integration("a").await;
    let made = fixture.data(
        "webhook_out_subs/create",
        subscription(id, json!({ "key": "b" })),
    );
    let made = made.await;
    let cases = [
        (
            json!({ "statuses": ["hold", "nonsense"] }),
            vec!["statuses[1]"],
        ),
        (
            json!({ "statuses": ["hold", "hold", "nonsense"] }),
            vec!["statuses[2]"],
        ),
        (
            json!({ "statuses": ["nonsense", 7] }),
            vec!["statuses[0]", "statuses[1]"],
        ),
        (
            json!({ "key": "taken", "events": ["*", "x", "*"], "success_code": "404" }),
            vec!["key", "events[1]", "success_code"],
        ),
    ];
    let taken = fixture.data(
        "webhook_out_subs/create",
        subscription(id, json!({ "key": "taken" })),
    );
    taken.await;
    for (more, places) in cases {
        let created = fixture
            .call("webhook_out_subs/create", subscription(id, more.clone()))
            .await
            .1;
        assert_eq!(attrs(&created), places, "create {more}");
        let mut update = more.clone();
        for (name, value) in [
            ("id", &made["id"]),
            ("version", &json!("v3")),
            ("integration_id", &json!(id)),
        ] {
            update[name] = value.clone();
        }
        let updated = fixture.call("webhook_out_subs/update", update).await.1;
        let mut sorted = attrs(&updated);
        sorted.sort_unstable();
        let mut expected = places.clone();
        expected.sort_unstable();
        assert_eq!(sorted, expected, "update {more}");
    }
    fixture.close().await;
}

#[tokio::test]
async fn a_repeated_create_is_answered_again_though_its_key_is_taken_by_now() {
    let fixture = Fixture::new().await;
    let id = fixture.integration("a").await;
    let more = json!({ "statuses": ["hold", "hold"], "idempotency_key": "once" });
    let create = || fixture.data("webhook_out_subs/create", subscription(id, more.clone()));
    let (first, again) = (create().await, create().await);
    assert_eq!(
        (&first["id"], &again["replayed"]),
        (&again["id"], &json!(true))
    );
    assert_eq!(again["statuses"], json!(["hold"]));
    fixture.close().await;
}

#[tokio::test]
async fn a_stage_names_exactly_one_order() {
    let fixture = Fixture::new().await;
    let id = fixture.integration("a").await;
    let cases = [
        (json!({}), "missing-param", vec!["external_order_id"]),
        (
            json!({ "order_id": 1, "external_order_id": "A" }),
            "invalid-param",
            vec!["order_id"],
        ),
        (json!({ "order_id": 99 }), "invalid-param", vec!["order_id"]),
        (
            json!({ "external_order_id": "A" }),
            "invalid-param",
            vec!["external_order_id"],
        ),
        (
            json!({ "external_order_id": 7 }),
            "invalid-param",
            vec!["external_order_id"],
        ),
        (
            json!({ "external_order_id": "A", "stage": "nonsense", "update_status": "no" }),
            "invalid-param",
            vec!["external_order_id", "stage", "update_status"],
        ),
    ];
    for (more, status, places) in cases {
        let mut body = json!({ "integration_id": id, "stage": "hold" });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        let answer = fixture.call("order_stages/create", body).await.1;
        assert_eq!(answer["status"], status, "{more}: {answer}");
        assert_eq!(attrs(&answer), places, "{more}");
    }
    fixture.close().await;
}

#[tokio::test]
async fn fields_of_an_order_keep_their_limits_alone_and_together() {
    let fixture = Fixture::new().await;
    let id = fixture.integration("a").await;
    let entries = |count: usize| -> Value {
        (0..count)
            .map(|index| (format!("k{index}"), json!("v")))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let half = json!({ "text": "x".repeat(33 * 1024) });
    let cases = [
        (json!({ "metadata": entries(50) }), vec![]),
        (json!({ "metadata": entries(51) }), vec!["metadata"]),
        (json!({ "metadata": { "a-b": "v" } }), vec!["metadata.a-b"]),
        (json!({ "metadata": { "a": 7 } }), vec!["metadata.a"]),
        (json!({ "metadata": { "a": "é".repeat(500) } }), vec![]),
        (
            json!({ "metadata": { "a": "é".repeat(501) } }),
            vec!["metadata.a"],
        ),
        (
            json!({ "address": { "latitude": 91 } }),
            vec!["address.latitude"],
        ),
        (json!({ "links": half }), vec![]),
        (json!({ "links": half, "assets": half }), vec!["assets"]),
    ];
    for (fields, places) in cases {
        let mut body = fields.clone();
        body["integration_id"] = json!(id);
        let answer = fixture.call("orders/create", body).await.1;
        assert_eq!(attrs(&answer), places, "{answer}");
    }
    let order = fixture
        .data("orders/create", json!({ "integration_id": id }))
        .await;
    assert_eq!(
        (&order["status"], &order["address"]),
        (&json!("new_request"), &json!(null))
    );
    let update = json!({ "integration_id": id, "id": order["id"], "status": "hold" });
    let refused = fixture.call("orders/update", update).await.1;
    assert_eq!(attrs(&refused), ["status"]);
    assert!(
        refused.to_string().contains("order_stages/create"),
        "{refused}"
    );
    fixture.close().await;
}

#[tokio::test]
async fn pages_are_reached_by_number_or_by_cursor() {
    let fixture = Fixture::new().await;
    for key in ["a", "b", "c"] {
        fixture.integration(key).await;
    }
    let index = |parameters: Value| fixture.call("integrations/index", parameters);
    let first = index(json!({ "page": { "size": 2 }, "count": true }))
        .await
        .1;
    assert_eq!(
        (first["data"].as_array().map(Vec::len), &first["count"]),
        (Some(2), &json!(3))
    );
    let second = index(json!({ "page": { "size": 2, "after": first["next"] } }))
        .await
        .1;
    assert_eq!(
        (&second["data"][0]["key"], &second["next"]),
        (&json!("c"), &json!(null))
    );
    let cases = [
        (
            json!({ "page": { "number": 202, "size": 50 } }),
            "page.number",
        ),
        (
            json!({ "page": { "number": 1, "after": first["next"] } }),
            "page.number",
        ),
        (json!({ "page": { "after": "nonsense" } }), "page.after"),
        (
            json!({ "page": { "after": first["next"] }, "sort": { "by": "name" } }),
            "page.after",
        ),
        (json!({ "sort": { "by": "colour" } }), "sort.by"),
    ];
    for (parameters, place) in cases {
        let answer = index(parameters.clone()).await.1;
        assert_eq!(attrs(&answer), [place], "{parameters}");
    }
    fixture.close().await;
}
