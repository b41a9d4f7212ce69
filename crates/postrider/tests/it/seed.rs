//! Every parameter of `webhook_out_subs/create`: absent, null, of a wrong type, bad, at its bounds.

use serde_json::{Value, json};

mod cases;

use self::cases::Expect::{Invalid, InvalidToken, Missing, Stored};
use self::cases::{body, optional, required, token};
use crate::harness::Server;

#[test]
fn every_parameter_is_taken_or_refused_as_documented() {
    let mut server = Server::start();
    let integration = server.integration("seed");
    server
        .call("webhook_out_subs/create", body(integration, "taken"))
        .data();
    let cases = token().into_iter().chain(required()).chain(optional());
    for (index, (name, value, expect)) in cases.enumerate() {
        let mut body = body(integration, &format!("key-{index}"));
        let case = format!("{name} = {value:?}");
        match value {
            Some(value) => body[name] = value,
            None => {
                body.as_object_mut().expect("an object").remove(name);
            }
        }
        let answer = server.call("webhook_out_subs/create", body);
        match expect {
            Stored(stored) => assert_eq!(answer.data()[name], stored, "{case}"),
            Missing => {
                assert_eq!(answer.status(), "missing-param", "{case}: {}", answer.text);
                assert_eq!(answer.attrs(), [name], "{case}");
            }
            Invalid(place) => {
                assert_eq!(answer.status(), "invalid-param", "{case}: {}", answer.text);
                assert_eq!(answer.attrs(), [place], "{case}");
            }
            InvalidToken => assert_eq!(answer.status(), "invalid-token", "{case}"),
        }
    }
}

#[test]
fn all_that_is_missing_and_all_that_is_bad_is_named_at_once() {
    let mut server = Server::start();
    let integration = server.integration("seed");
    let answer = server.send("webhook_out_subs/create", br#"{"statuses": ["nonsense"]}"#);
    assert_eq!(answer.status(), "missing-param");
    assert_eq!(
        answer.attrs(),
        [
            "token",
            "integration_id",
            "key",
            "name",
            "callback_url",
            "version"
        ]
    );
    let answer = server.call("webhook_out_subs/create", json!({ "key": null }));
    assert_eq!(
        answer.attrs(),
        ["integration_id", "key", "name", "callback_url", "version"]
    );
    server
        .call("webhook_out_subs/create", body(integration, "taken"))
        .data();
    let answer = server.call(
        "webhook_out_subs/create",
        json!({
            "integration_id": integration, "key": "taken", "name": "", "callback_url": "x",
            "statuses": ["hold", "nonsense"], "events": [7], "version": "v9", "active": "yes",
            "callbackurl": "x",
        }),
    );
    assert_eq!(answer.status(), "invalid-param");
    assert_eq!(
        answer.attrs(),
        [
            "key",
            "name",
            "callback_url",
            "statuses[1]",
            "events[0]",
            "active",
            "version",
            "callbackurl"
        ]
    );
    assert!(
        answer.text.contains("did you mean \\\"callback_url\\\"?"),
        "{}",
        answer.text
    );
}

#[test]
fn notify_needs_somebody_to_tell() {
    let mut server = Server::start();
    let integration = server.integration("seed");
    let mut body = body(integration, "a");
    body["notify"] = json!(true);
    let answer = server.call("webhook_out_subs/create", body.clone());
    assert_eq!(
        (answer.status().as_str(), answer.attrs()),
        ("missing-param", vec!["notification_emails".to_owned()])
    );
    body["notification_emails"] = json!("ops@example.com");
    let made = server.call("webhook_out_subs/create", body).data();
    assert_eq!(
        (&made["notify"], &made["notification_emails"]),
        (&json!(true), &json!("ops@example.com"))
    );
}

#[test]
fn a_subscription_that_wants_nothing_is_accepted_with_a_warning() {
    let mut server = Server::start();
    let integration = server.integration("seed");
    let mut body = body(integration, "a");
    body["statuses"] = json!([]);
    let answer = server.call("webhook_out_subs/create", body.clone());
    assert_eq!(answer.status(), "action-successful");
    assert_eq!(
        answer.json()["warnings"][0]["attr"],
        "statuses",
        "{}",
        answer.text
    );
    body["key"] = json!("b");
    body["events"] = json!(["*"]);
    let answer = server.call("webhook_out_subs/create", body);
    assert_eq!(answer.json()["warnings"], json!(null), "{}", answer.text);
}

#[test]
fn an_update_keeps_what_is_absent_and_clears_what_is_null() {
    let mut server = Server::start();
    let integration = server.integration("seed");
    let mut body = body(integration, "a");
    body["success_code"] = json!("202");
    body["events"] = json!(["order.delivered"]);
    body["max_in_flight"] = json!(7);
    let made = server.call("webhook_out_subs/create", body).data();
    assert!(
        made["signing_secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whsec_"))
    );
    let update = |more: Value| {
        let mut body = json!({ "integration_id": integration, "id": made["id"], "version": "v2" });
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    };
    let changed = server
        .call(
            "webhook_out_subs/update",
            update(json!({ "name": "Other", "success_code": null, "statuses": null })),
        )
        .data();
    assert_eq!(
        (
            &changed["name"],
            &changed["success_code"],
            &changed["statuses"],
            &changed["version"]
        ),
        (&json!("Other"), &json!(null), &json!([]), &json!("v2"))
    );
    assert_eq!(
        (
            &changed["key"],
            &changed["events"],
            &changed["max_in_flight"]
        ),
        (&json!("a"), &json!(["order.delivered"]), &json!(7))
    );
    assert_eq!(
        changed["signing_secret"],
        json!(null),
        "only create and rotate_secret show it"
    );
    let shown = server
        .call(
            "webhook_out_subs/show",
            json!({ "integration_id": integration, "id": made["id"] }),
        )
        .data();
    assert_eq!(shown["updated_at"], changed["updated_at"]);
    assert_eq!(shown["signing_secret"], json!(null));
    let other = server.integration("other");
    for (integration_id, id) in [(other, made["id"].clone()), (integration, json!(999))] {
        let answer = server.call(
            "webhook_out_subs/update",
            json!({ "integration_id": integration_id, "id": id, "version": "v3" }),
        );
        assert_eq!(
            (answer.status().as_str(), answer.attrs()),
            ("invalid-param", vec!["id".to_owned()])
        );
    }
}
