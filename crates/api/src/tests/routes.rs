//! The declarations: sound, complete, and at the positions that are published.

use std::collections::HashSet;

use contract::{Method, Route, by_position};

use crate::endpoints::all_routes;

fn route(path: &str) -> &'static Route {
    all_routes()
        .find(|route| route.path() == format!("/api/v1/{path}"))
        .expect(path)
}

/// Name, type, position and whether required, as a reference page lists them.
type Row = (&'static str, &'static str, u32, bool);

fn rows(path: &str) -> Vec<Row> {
    by_position(route(path).params)
        .into_iter()
        .map(|param| {
            (
                param.name,
                param.kind.name(),
                param.position,
                param.required,
            )
        })
        .collect()
}

#[test]
fn every_route_is_sound_and_declared_once() {
    let mut paths = HashSet::new();
    for route in all_routes() {
        assert_eq!(route.flaws(), Vec::<String>::new(), "{}", route.path());
        assert!(paths.insert(route.path()), "{} stands twice", route.path());
        assert!(route.title.ends_with(" API"), "{}", route.title);
        let expected = if route.action == "update" {
            Method::Put
        } else {
            Method::Post
        };
        assert_eq!(route.method, expected, "{}", route.path());
    }
}

#[test]
fn creating_a_subscription_has_the_thirteen_published_parameters_in_their_order() {
    let published = [
        ("token", "string", 100, true),
        ("integration_id", "integer", 100, true),
        ("key", "string", 200, true),
        ("name", "string", 200, true),
        ("callback_url", "string", 300, true),
        ("statuses", "array", 400, false),
        ("events", "array", 500, false),
        ("notification_emails", "string", 600, false),
        ("success_code", "string", 700, false),
        ("payload_render_view", "string", 700, false),
        ("active", "boolean", 800, false),
        ("notify", "boolean", 900, false),
        ("version", "string", 1000, true),
    ];
    let rows = rows("webhook_out_subs/create");
    assert_eq!(rows[..13], published);
    assert!(
        rows[13..]
            .iter()
            .all(|(_, _, position, required)| *position >= 1100 && !required)
    );
}

#[test]
fn updating_a_subscription_has_the_published_parameters_in_their_order() {
    let published = [
        ("token", "string", 100, true),
        ("integration_id", "integer", 100, true),
        ("id", "integer", 200, true),
        ("statuses", "array", 300, false),
        ("events", "array", 400, false),
        ("name", "string", 500, false),
        ("notification_emails", "string", 600, false),
        ("notify", "boolean", 700, false),
        ("key", "string", 800, false),
        ("payload_render_view", "string", 800, false),
        ("callback_url", "string", 900, false),
        ("success_code", "string", 1000, false),
        ("active", "boolean", 1100, false),
        ("version", "string", 1200, true),
    ];
    assert_eq!(rows("webhook_out_subs/update")[..14], published);
}

#[test]
fn every_create_can_be_repeated() {
    // Without a token there is nobody whose key it could be: what a visitor is answered is nobody else's.
    let of_somebody = all_routes().filter(|route| route.token().is_some());
    for route in of_somebody.filter(|route| route.action == "create") {
        let declares = route
            .params
            .iter()
            .any(|param| param.name == "idempotency_key");
        assert!(declares, "{}", route.path());
    }
}

#[test]
fn mails_can_fail_only_where_some_are_sent() {
    for path in ["webhook_out_subs/create", "webhook_out_subs/update"] {
        assert!(
            route(path).permits(&contract::status::MANDRILL_EMAIL_FAILED),
            "{path}"
        );
    }
    assert!(!route("orders/create").permits(&contract::status::MANDRILL_EMAIL_FAILED));
}
