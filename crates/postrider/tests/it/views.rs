//! A payload view of one's own, from its making to the receiver.

use serde_json::json;

use crate::harness::{Receiver, Server};

#[test]
fn deliveries_bear_what_the_view_renders() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let made = server.call(
        "payload_render_views/create",
        json!({ "integration_id": integration, "key": "crm", "name": "CRM",
            "template": "{\"id\": {{ order.external_order_id }}, \"v\": 1}" }),
    );
    let id = made.data()["id"].clone();
    for (key, view) in [("follows", "crm"), ("pins", "crm@1")] {
        let made = server.call(
            "webhook_out_subs/create",
            json!({ "integration_id": integration, "key": key, "name": key, "statuses": ["*"], "version": "v3",
                "callback_url": receiver.url(&format!("/{key}")), "payload_render_view": view }),
        );
        assert_eq!(made.data()["payload_render_view"], view);
    }
    server.report(integration, "A-1", "scheduled");
    for delivery in receiver.wait_for(2) {
        assert_eq!(delivery.body, b"{\"id\": \"A-1\", \"v\": 1}");
        assert!(delivery.header("webhook-signature").starts_with("v1,"));
    }
    let changed = server.call(
        "payload_render_views/update",
        json!({ "integration_id": integration, "id": id,
            "template": "{\"id\": {{ order.external_order_id }}, \"v\": 2}" }),
    );
    assert_eq!(changed.data()["revision"], 2);
    server.report(integration, "A-2", "scheduled");
    for delivery in receiver.wait_for(4).split_off(2) {
        let version = if delivery.path == "/pins" { 1 } else { 2 };
        assert_eq!(delivery.json(), json!({ "id": "A-2", "v": version }));
    }
}
