//! One's own account, and what is said or made once.

use serde_json::{Value, json};

use super::browser::{employee, liaison};
use crate::harness::Server;

#[test]
fn a_password_is_changed_by_whoever_knows_the_one_of_now() {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let eve = liaison(&mut server, integration);
    assert!(
        eve.page(&mut server, "/account")
            .contains("eve@example.com")
    );
    eve.done(&mut server, "/account", &[("name", "Eve B.")]);
    assert!(eve.page(&mut server, "/account").contains("Eve B."));
    let path = "/account/password";
    for current in ["", "wrong horse"] {
        let fields = [
            ("current_password", current),
            ("password", "battery staple"),
        ];
        let refused = eve.post(&mut server, path, &fields);
        assert_eq!(refused.code, 400, "{}", refused.text);
        assert!(
            refused.text.contains("is not the password"),
            "{}",
            refused.text
        );
    }
    let fields = [("current_password", "correct horse"), ("password", "short")];
    let refused = eve.post(&mut server, path, &fields);
    assert!(
        refused.text.contains("field-password-fault"),
        "{}",
        refused.text
    );
    let fields = [
        ("current_password", "correct horse"),
        ("password", "battery staple"),
    ];
    eve.done(&mut server, path, &fields);
    let asked = json!({ "email": "eve@example.com", "password": "battery staple" });
    server.sensitive("sessions/create", &asked).data();

    // Who came by a link has none yet, and needs none.
    let boss = employee(&mut server);
    assert!(
        !boss
            .page(&mut server, "/account")
            .contains("current_password")
    );
    boss.done(&mut server, path, &[("password", "correct horse")]);
    assert!(
        boss.page(&mut server, "/account")
            .contains("current_password")
    );
}

#[test]
fn all_notifications_are_marked_as_read_at_once() {
    let mut server = Server::start();
    let boss = employee(&mut server);
    let integration = server.integration("acme");
    // A view that fails on a real order is told to the operators.
    let template = "{ \"a\": 1 {% if order.metadata.broken %} oops {% endif %} }";
    for key in ["one", "two", "three"] {
        let view =
            json!({ "integration_id": integration, "key": key, "name": key, "template": template });
        server.call("payload_render_views/create", view).data();
        let sub = json!({
            "integration_id": integration, "key": key, "name": key, "version": "v3", "statuses": ["scheduled"],
            "callback_url": "http://127.0.0.1:9/", "payload_render_view": key
        });
        server.call("webhook_out_subs/create", sub).data();
    }
    let stage = json!({
        "integration_id": integration, "external_order_id": "A-1", "stage": "scheduled", "create_order": true,
        "order": { "metadata": { "broken": "yes" } }
    });
    server.call("order_stages/create", stage).data();
    let unread = |server: &mut Server| {
        let asked = json!({ "filters": { "read": false } });
        let unread: Value = server.call("notifications/index", asked).data();
        unread.as_array().map_or(0, Vec::len)
    };
    assert!(unread(&mut server) > 1);
    let page = boss.page(&mut server, "/notifications");
    assert!(
        page.contains("Mark all as read") && page.contains("unread"),
        "{page}"
    );
    boss.done(&mut server, "/notifications", &[]);
    assert_eq!(unread(&mut server), 0);
    assert!(
        !boss
            .page(&mut server, "/notifications")
            .contains("Mark all as read")
    );
}

#[test]
fn warnings_are_shown_and_a_token_once() {
    let mut server = Server::start();
    let boss = employee(&mut server);
    let integration = server.integration("acme");
    let root = format!("/integrations/{integration}");
    let fields = [
        ("key", "crm"),
        ("name", "CRM"),
        ("callback_url", "http://127.0.0.1:9/"),
        ("version", "v3"),
    ];
    let made = boss.post(&mut server, &format!("{root}/webhook_out_subs"), &fields);
    assert!(made.text.contains("Statuses: "), "{}", made.text);
    assert!(
        made.text.contains("def verify(") && made.text.contains("hash_hmac"),
        "{}",
        made.text
    );
    let path = format!("{root}/test_receiver");
    boss.done(&mut server, &path, &[]);
    assert!(!boss.page(&mut server, &path).contains("pra_"));
    let made = boss.post(&mut server, &format!("{path}/application"), &[]);
    let (_, token) = made.text.split_once("pra_").expect("a token");
    let (token, _) = token.split_once('<').expect("its end");
    let token = format!("pra_{token}");
    assert!(
        made.text.contains(&format!("Bearer {token}")),
        "{}",
        made.text
    );
    let asked = json!({ "token": token });
    let reached: Value = server.call("integrations/index", asked).data();
    assert_eq!(reached.as_array().map(Vec::len), Some(1));
    assert!(!boss.page(&mut server, &path).contains("pra_"));
}
