//! The cases: a value for a parameter, and what becomes of it.

use serde_json::{Value, json};

/// What a case expects.
pub enum Expect {
    /// Accepted, and stored as this under the parameter's name.
    Stored(Value),
    /// `missing-param`, naming the parameter.
    Missing,
    /// `invalid-param`, naming this place.
    Invalid(&'static str),
    /// `invalid-token`.
    InvalidToken,
}

use Expect::{Invalid, InvalidToken, Missing, Stored};

pub fn body(integration: i64, key: &str) -> Value {
    json!({
        "integration_id": integration, "key": key, "name": "Name",
        "callback_url": "https://example.com/hook", "version": "v3", "statuses": ["scheduled"],
    })
}

/// A value for the parameter; `None` leaves it out.
pub type Case = (&'static str, Option<Value>, Expect);

fn text(length: usize) -> String {
    "k".repeat(length)
}

fn url(length: usize) -> String {
    let start = "https://example.com/";
    format!("{start}{}", "p".repeat(length - start.len()))
}

pub fn required() -> Vec<Case> {
    vec![
        ("integration_id", None, Missing),
        ("integration_id", Some(json!(null)), Missing),
        (
            "integration_id",
            Some(json!("1")),
            Invalid("integration_id"),
        ),
        (
            "integration_id",
            Some(json!(1.5)),
            Invalid("integration_id"),
        ),
        (
            "integration_id",
            Some(json!(999_999)),
            Invalid("integration_id"),
        ),
        ("integration_id", Some(json!(-1)), Invalid("integration_id")),
        ("key", None, Missing),
        ("key", Some(json!(null)), Missing),
        ("key", Some(json!(7)), Invalid("key")),
        ("key", Some(json!("")), Invalid("key")),
        ("key", Some(json!("a b")), Invalid("key")),
        ("key", Some(json!("é")), Invalid("key")),
        ("key", Some(json!("a")), Stored(json!("a"))),
        ("key", Some(json!("A-z_0.9:")), Stored(json!("A-z_0.9:"))),
        ("key", Some(json!(text(100))), Stored(json!(text(100)))),
        ("key", Some(json!(text(101))), Invalid("key")),
        ("key", Some(json!("taken")), Invalid("key")),
        ("name", None, Missing),
        ("name", Some(json!(null)), Missing),
        ("name", Some(json!(["x"])), Invalid("name")),
        ("name", Some(json!("")), Invalid("name")),
        (
            "name",
            Some(json!(" é \u{1F980}")),
            Stored(json!(" é \u{1F980}")),
        ),
        (
            "name",
            Some(json!("é".repeat(200))),
            Stored(json!("é".repeat(200))),
        ),
        ("name", Some(json!("é".repeat(201))), Invalid("name")),
        ("callback_url", None, Missing),
        ("callback_url", Some(json!(null)), Missing),
        ("callback_url", Some(json!(true)), Invalid("callback_url")),
        ("callback_url", Some(json!("")), Invalid("callback_url")),
        (
            "callback_url",
            Some(json!("example.com")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("ftp://example.com")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("https://a:b@example.com")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("https://example.com/#x")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("http://10.0.0.1/")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("http://169.254.169.254/")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("http://0x7f.1/")),
            Stored(json!("http://0x7f.1/")),
        ),
        (
            "callback_url",
            Some(json!("http://[fd00::1]/")),
            Invalid("callback_url"),
        ),
        (
            "callback_url",
            Some(json!("HTTPS://Example.com:8443/x?y=1")),
            Stored(json!("HTTPS://Example.com:8443/x?y=1")),
        ),
        (
            "callback_url",
            Some(json!(url(2_048))),
            Stored(json!(url(2_048))),
        ),
        (
            "callback_url",
            Some(json!(url(2_049))),
            Invalid("callback_url"),
        ),
        ("version", None, Missing),
        ("version", Some(json!(null)), Missing),
        ("version", Some(json!(3)), Invalid("version")),
        ("version", Some(json!("v4")), Invalid("version")),
        ("version", Some(json!("")), Invalid("version")),
        ("version", Some(json!("v2")), Stored(json!("v2"))),
        ("version", Some(json!("v3")), Stored(json!("v3"))),
    ]
}

pub fn optional() -> Vec<Case> {
    let ten = ["a@example.com"; 10].join(",");
    let eleven = ["a@example.com"; 11].join(",");
    vec![
        ("statuses", None, Stored(json!([]))),
        ("statuses", Some(json!(null)), Stored(json!([]))),
        ("statuses", Some(json!("scheduled")), Invalid("statuses")),
        ("statuses", Some(json!([7])), Invalid("statuses[0]")),
        (
            "statuses",
            Some(json!(["scheduled", "nonsense"])),
            Invalid("statuses[1]"),
        ),
        ("statuses", Some(json!([])), Stored(json!([]))),
        ("statuses", Some(json!(["*"])), Stored(json!(["*"]))),
        (
            "statuses",
            Some(json!(["hold", "hold", "completed"])),
            Stored(json!(["hold", "completed"])),
        ),
        (
            "statuses",
            Some(json!(["canceled", "cancelled"])),
            Stored(json!(["canceled", "cancelled"])),
        ),
        ("events", None, Stored(json!([]))),
        ("events", Some(json!(null)), Stored(json!([]))),
        ("events", Some(json!({})), Invalid("events")),
        ("events", Some(json!([null])), Invalid("events[0]")),
        ("events", Some(json!(["delivered"])), Invalid("events[0]")),
        (
            "events",
            Some(json!(["order.delivered", "*"])),
            Stored(json!(["order.delivered", "*"])),
        ),
        ("notification_emails", None, Stored(json!(null))),
        (
            "notification_emails",
            Some(json!(null)),
            Stored(json!(null)),
        ),
        (
            "notification_emails",
            Some(json!(["a@example.com"])),
            Invalid("notification_emails"),
        ),
        (
            "notification_emails",
            Some(json!("")),
            Invalid("notification_emails"),
        ),
        (
            "notification_emails",
            Some(json!("a@example.com, b")),
            Invalid("notification_emails"),
        ),
        (
            "notification_emails",
            Some(json!("a@example.com, b@example.com")),
            Stored(json!("a@example.com, b@example.com")),
        ),
        ("notification_emails", Some(json!(ten)), Stored(json!(ten))),
        (
            "notification_emails",
            Some(json!(eleven)),
            Invalid("notification_emails"),
        ),
        ("success_code", None, Stored(json!(null))),
        ("success_code", Some(json!(null)), Stored(json!(null))),
        ("success_code", Some(json!(200)), Invalid("success_code")),
        ("success_code", Some(json!("199")), Invalid("success_code")),
        ("success_code", Some(json!("300")), Invalid("success_code")),
        ("success_code", Some(json!("ok")), Invalid("success_code")),
        ("success_code", Some(json!("200")), Stored(json!("200"))),
        ("success_code", Some(json!("299")), Stored(json!("299"))),
        ("success_code", Some(json!("2xx")), Stored(json!("2xx"))),
        (
            "success_code",
            Some(json!("200,202")),
            Stored(json!("200,202")),
        ),
        ("payload_render_view", None, Stored(json!(null))),
        (
            "payload_render_view",
            Some(json!(null)),
            Stored(json!(null)),
        ),
        (
            "payload_render_view",
            Some(json!(2)),
            Invalid("payload_render_view"),
        ),
        (
            "payload_render_view",
            Some(json!("order_v4")),
            Invalid("payload_render_view"),
        ),
        (
            "payload_render_view",
            Some(json!("order_v2")),
            Stored(json!("order_v2")),
        ),
        (
            "payload_render_view",
            Some(json!("order_v3")),
            Stored(json!("order_v3")),
        ),
        (
            "payload_render_view",
            Some(json!("thin")),
            Stored(json!("thin")),
        ),
        ("active", None, Stored(json!(true))),
        ("active", Some(json!(null)), Stored(json!(true))),
        ("active", Some(json!("true")), Invalid("active")),
        ("active", Some(json!(0)), Invalid("active")),
        ("active", Some(json!(true)), Stored(json!(true))),
        ("active", Some(json!(false)), Stored(json!(false))),
        ("notify", None, Stored(json!(false))),
        ("notify", Some(json!(null)), Stored(json!(false))),
        ("notify", Some(json!("no")), Invalid("notify")),
        ("notify", Some(json!(false)), Stored(json!(false))),
    ]
}

pub fn token() -> Vec<Case> {
    vec![
        ("token", Some(json!(null)), Missing),
        ("token", Some(json!("")), InvalidToken),
        ("token", Some(json!("pra_nobody")), InvalidToken),
        ("token", Some(json!(7)), InvalidToken),
        ("token", Some(json!(["x"])), InvalidToken),
        ("token", Some(json!("t".repeat(10_000))), InvalidToken),
    ]
}
