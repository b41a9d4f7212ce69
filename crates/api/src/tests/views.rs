//! Payload views of one's own through the API.

use serde_json::{Value, json};

use super::harness::{Fixture, attrs};

const TEMPLATE: &str = "{\"id\": {{ order.external_order_id }}, \"state\": {{ stage }}}";

fn message(answer: &Value) -> &str {
    answer["errors"][0]["message"].as_str().expect("a message")
}

#[tokio::test]
async fn a_view_is_made_shown_changed_and_listed() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("a").await;
    let new = json!({ "integration_id": integration, "key": "crm", "name": "CRM", "template": TEMPLATE,
        "description": "For the CRM.", "idempotency_key": "k" });
    let made = fixture
        .data("payload_render_views/create", new.clone())
        .await;
    assert_eq!(
        (&made["key"], &made["revision"], &made["integration_id"]),
        (&json!("crm"), &json!(1), &json!(integration))
    );
    let again = fixture.data("payload_render_views/create", new).await;
    assert_eq!(
        (&again["id"], &again["replayed"]),
        (&made["id"], &json!(true))
    );
    let changes = json!({ "integration_id": integration, "id": made["id"], "template": "{}", "description": null });
    let changed = fixture.data("payload_render_views/update", changes).await;
    assert_eq!(
        (
            &changed["revision"],
            &changed["description"],
            &changed["name"]
        ),
        (&json!(2), &json!(null), &json!("CRM"))
    );
    for (revision, shown_revision, template) in [(json!(null), 2, "{}"), (json!(1), 1, TEMPLATE)] {
        let asked =
            json!({ "integration_id": integration, "id": made["id"], "revision": revision });
        let shown = fixture.data("payload_render_views/show", asked).await;
        assert_eq!(
            (&shown["shown_revision"], &shown["template"]),
            (&json!(shown_revision), &json!(template))
        );
    }
    let asked = json!({ "integration_id": integration, "id": made["id"], "revision": 3 });
    let (_, refused) = fixture.call("payload_render_views/show", asked).await;
    assert_eq!(attrs(&refused), ["revision"]);
    let search = json!({ "integration_id": integration, "search": { "term": "CR", "attributes": ["name"] }, "count": true,
        "sort": { "by": "key", "order": "desc" } });
    let listed = fixture.data("payload_render_views/index", search).await;
    assert_eq!(listed[0]["id"], made["id"]);
    fixture.close().await;
}

#[tokio::test]
async fn a_bad_view_is_refused_with_all_that_is_wrong() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("a").await;
    let bad = json!({ "integration_id": integration, "key": "thin", "name": "", "template": "{\n{{ ordr }}}" });
    let (code, refused) = fixture.call("payload_render_views/create", bad).await;
    assert_eq!(code, 400);
    assert_eq!(attrs(&refused), ["key", "name", "template"]);
    let template = |text: &str| json!({ "integration_id": integration, "key": "a", "name": "A", "template": text });
    for (text, expected) in [
        ("{\n\n{% if %}", "line 3: syntax error"),
        (
            "[]",
            "does not render a sample order: what it renders is no JSON object",
        ),
        (
            "{\"a\": {{ ordr.id }}}",
            "there is no `ordr`; did you mean `order`?",
        ),
    ] {
        let (_, refused) = fixture
            .call("payload_render_views/create", template(text))
            .await;
        assert_eq!(attrs(&refused), ["template"]);
        assert!(message(&refused).starts_with(expected), "{refused}");
    }
    fixture
        .data("payload_render_views/create", template("{}"))
        .await;
    let (_, refused) = fixture
        .call("payload_render_views/create", template("{}"))
        .await;
    assert_eq!(attrs(&refused), ["key"]);
    let subscription = json!({ "integration_id": integration, "key": "s", "name": "S", "version": "v3",
        "callback_url": "https://example.com/", "statuses": ["nothing"], "payload_render_view": "b" });
    let (_, refused) = fixture.call("webhook_out_subs/create", subscription).await;
    assert_eq!(attrs(&refused), ["statuses[0]", "payload_render_view"]);
    fixture.close().await;
}

#[tokio::test]
async fn views_for_all_are_closed_to_those_who_are_narrowed() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("a").await;
    let token = fixture.application("narrow", Some(integration)).await;
    let new = json!({ "key": "crm", "name": "CRM", "template": "{}" });
    let made = fixture
        .data("payload_render_views/create", new.clone())
        .await;
    assert_eq!(made["integration_id"], json!(null));
    for (action, mut parameters) in [
        ("create", new),
        ("update", json!({ "id": made["id"], "name": "X" })),
        ("show", json!({ "id": made["id"] })),
        ("index", json!({})),
        ("preview", json!({ "id": made["id"] })),
    ] {
        parameters["token"] = json!(token);
        let action = format!("payload_render_views/{action}");
        assert_eq!(fixture.call(&action, parameters).await.0, 403, "{action}");
    }
    // They may use it, but not change it.
    let here = json!({ "token": token, "integration_id": integration, "id": made["id"] });
    let shown = fixture
        .data("payload_render_views/show", here.clone())
        .await;
    assert_eq!(shown["template"], "{}");
    let (_, refused) = fixture.call("payload_render_views/update", here).await;
    assert_eq!(attrs(&refused), ["id"]);
    fixture.close().await;
}

#[tokio::test]
async fn a_preview_shows_what_would_be_sent() {
    let fixture = Fixture::new().await;
    let integration = fixture.integration("a").await;
    let order = json!({ "integration_id": integration, "external_order_id": "A-1", "status": "scheduled",
        "property_access": { "access_code": "1234" } });
    let order = fixture.data("orders/create", order).await;
    let stage =
        json!({ "integration_id": integration, "order_id": order["id"], "stage": "completed" });
    fixture.data("order_stages/create", stage).await;
    let stages = json!({ "integration_id": integration, "filters": { "order_id": [order["id"]] } });
    let stages = fixture.data("order_stages/index", stages).await;
    let preview = |mut parameters: Value| {
        parameters["integration_id"] = json!(integration);
        fixture.call("payload_render_views/preview", parameters)
    };
    let of_order = |more: Value| json!({ "template": TEMPLATE, "order_id": order["id"], "order_stage_id": more });
    let (_, last) = preview(of_order(json!(null))).await;
    assert_eq!(
        last["data"],
        json!({ "payload": { "id": "A-1", "state": "completed" }, "bytes": 35 })
    );
    let (_, first) = preview(of_order(stages[0]["id"].clone())).await;
    assert_eq!(first["data"]["payload"]["state"], "scheduled");
    let sample = json!({ "template": "{\"a\": [{{ stage }}, {{ event }}]}", "stage": "hold", "event_slug": null });
    assert_eq!(
        preview(sample).await.1["data"]["payload"]["a"],
        json!(["hold", null])
    );
    let code = json!({ "template": "{{ order }}", "order_id": order["id"] });
    assert!(!preview(code).await.1.to_string().contains("1234"));
    for (parameters, expected) in [
        (json!({}), "template"),
        (json!({ "template": "{}", "id": 1 }), "id"),
        (json!({ "id": 99 }), "id"),
        (json!({ "template": "{{" }), "template"),
        (json!({ "template": "{}", "order_id": 99 }), "order_id"),
        (of_order(json!(99)), "order_stage_id"),
        (
            json!({ "template": "{}", "order_stage_id": 1 }),
            "order_stage_id",
        ),
        (json!({ "template": "{}", "revision": 1 }), "revision"),
        (
            json!({ "template": "{}", "order_id": order["id"], "stage": "hold" }),
            "stage",
        ),
        (json!({ "template": "{{ range(99999)|list }}" }), "template"),
    ] {
        let (code, refused) = preview(parameters.clone()).await;
        assert_eq!(
            (code, attrs(&refused)),
            (400, vec![expected]),
            "{parameters} {refused}"
        );
    }
    fixture.close().await;
}
