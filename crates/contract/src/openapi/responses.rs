//! Answers: one per HTTP code, with the statuses that share it. Those that routes have in common are
//! components.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::shapes;
use crate::example::{example_failure, tells_when_to_retry};
use crate::route::Route;
use crate::shape::{FAULT, Shape};
use crate::status::{self, Status};

/// The header that names a request.
const X_REQUEST_ID: &str = "x-request-id";
/// The header that says when to try again.
const RETRY_AFTER: &str = "Retry-After";
/// The parameter that stands for any in examples that routes share.
const ANY_PARAM: &str = "id";

/// The answers of a route.
pub(super) fn of(route: &'static Route) -> Value {
    let mut answers = Map::new();
    answers.insert("200".to_owned(), success(route));
    for (code, statuses) in failures(route) {
        let component = format!("#/components/responses/{}", name(code, &statuses));
        answers.insert(code.to_string(), json!({ "$ref": component }));
    }
    Value::Object(answers)
}

/// The answers that routes share.
pub(super) fn components(routes: &[&'static Route]) -> Value {
    let mut components = Map::new();
    for route in routes {
        for (code, statuses) in failures(route) {
            let name = name(code, &statuses);
            components
                .entry(name)
                .or_insert_with(|| failure(code, &statuses));
        }
    }
    Value::Object(components)
}

/// The headers of answers.
pub(super) fn headers() -> Value {
    json!({
        X_REQUEST_ID: {
            "description": "The name of the request, also in the server's log. Every answer bears it.",
            "required": true,
            "schema": { "type": "string", "format": "uuid" },
        },
        RETRY_AFTER: {
            "description": "After how many seconds trying again makes sense.",
            "required": true,
            "schema": { "type": "integer", "minimum": 0 },
        },
    })
}

fn header(name: &str) -> Value {
    json!({ "$ref": format!("#/components/headers/{name}") })
}

fn failures(route: &Route) -> BTreeMap<u16, Vec<&'static Status>> {
    let mut by_code: BTreeMap<u16, Vec<&'static Status>> = BTreeMap::new();
    for status in route
        .statuses()
        .filter(|status| *status != &status::ACTION_SUCCESSFUL)
    {
        by_code.entry(status.code).or_default().push(status);
    }
    by_code
}

/// The code, and what distinguishes this answer from that of other routes: what not every route may answer.
fn name(code: u16, statuses: &[&Status]) -> String {
    let particular = statuses
        .iter()
        .filter(|status| !status::COMMON.contains(status));
    particular.fold(code.to_string(), |name, status| {
        format!("{name}-{}", status.slug)
    })
}

fn success(route: &'static Route) -> Value {
    let data = route.data.map_or(json!({}), shapes::schema);
    let mut properties = json!({
        "code": { "const": status::ACTION_SUCCESSFUL.code },
        "status": { "const": status::ACTION_SUCCESSFUL.slug },
        "data": data,
        "warnings": {
            "type": "array",
            "items": fault(),
            "description": "What was accepted and is probably not meant; absent when there is nothing.",
        },
    });
    let mut always = vec!["code", "status", "data"];
    if route.is_counted() {
        properties["count"] = json!({
            "type": "integer",
            "description": "How many records match, if that was asked for.",
        });
        properties["count_capped"] = json!({
            "const": true,
            "description": "There are more than `count`; absent when there are not.",
        });
    }
    if route.is_paged() {
        properties["next"] = json!({
            "type": ["string", "null"],
            "description": "The cursor of the next page, for `page.after`; null at the end.",
        });
        always.push("next");
    }
    json!({
        "description": status::ACTION_SUCCESSFUL.description,
        "headers": { X_REQUEST_ID: header(X_REQUEST_ID) },
        "content": { "application/json": {
            "schema": { "type": "object", "properties": properties, "required": always },
            "example": route.example_answer(&status::ACTION_SUCCESSFUL),
        } },
    })
}

fn failure(code: u16, statuses: &[&'static Status]) -> Value {
    let slugs: Vec<&str> = statuses.iter().map(|status| status.slug).collect();
    let mut headers = json!({ X_REQUEST_ID: header(X_REQUEST_ID) });
    if statuses.iter().all(|status| tells_when_to_retry(status)) {
        headers[RETRY_AFTER] = header(RETRY_AFTER);
    }
    let mut properties = json!({
        "code": { "const": code },
        "status": { "enum": slugs },
        "message": { "type": "string", "description": "A sentence for people." },
        "errors": {
            "type": "array",
            "items": fault(),
            "description": "Each parameter that is to blame; empty where none is.",
        },
    });
    if statuses.contains(&&status::CLIENT_REQUIRED) {
        properties["session"] = json!({
            "type": "object",
            "description": "With `client-required` only: a session that is good for registering as a client.",
        });
    }
    json!({
        "description": description(statuses),
        "headers": headers,
        "content": { "application/json": {
            "schema": {
                "type": "object",
                "properties": properties,
                "required": ["code", "status", "message", "errors"],
            },
            "examples": examples(statuses),
        } },
    })
}

fn description(statuses: &[&Status]) -> String {
    let lines: Vec<String> = statuses
        .iter()
        .map(|status| format!("- `{}`: {}", status.slug, status.description))
        .collect();
    lines.join("\n")
}

fn examples(statuses: &[&'static Status]) -> Value {
    let example = |status: &&'static Status| {
        let value = json!({ "value": example_failure(status, ANY_PARAM) });
        (status.slug.to_owned(), value)
    };
    statuses.iter().map(example).collect()
}

fn fault() -> Value {
    shapes::schema(&Shape::Record(&FAULT))
}
