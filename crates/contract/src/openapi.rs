//! The API as an OpenAPI 3.1 document, made of the declarations alone and always the same for the same ones.

mod params;
mod responses;
mod shapes;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use crate::kind::Kind;
use crate::param::IDEMPOTENCY_KEY;
use crate::route::{Method, Route};

/// What the document says of the API as a whole.
pub struct About<'a> {
    /// The API's name.
    pub title: &'a str,
    /// The version of the software.
    pub version: &'a str,
    /// What it is for, in Markdown.
    pub description: &'a str,
}

/// The document. Services and routes stand in the order given where order has a meaning.
pub fn document(about: &About<'_>, routes: &[&'static Route]) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let method = match route.method {
            Method::Post => "post",
            Method::Put => "put",
        };
        paths.insert(route.path(), json!({ method: operation(route) }));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "version": about.version,
            "description": about.description,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "tags": tags(routes),
        "paths": paths,
        "components": {
            "schemas": shapes::components(routes),
            "responses": responses::components(routes),
            "headers": responses::headers(),
            "parameters": { IDEMPOTENCY_HEADER: idempotency_key() },
            "securitySchemes": { BEARER: {
                "type": "http",
                "scheme": "bearer",
                "description": "The token of an application or of a session, in place of the parameter `token`.",
            } },
        },
    })
}

/// The component that describes tokens in the header.
const BEARER: &str = "bearer";
/// The header that stands in for the parameter `idempotency_key`.
const IDEMPOTENCY_HEADER: &str = "Idempotency-Key";

fn tags(routes: &[&'static Route]) -> Vec<Value> {
    let mut tags: Vec<Value> = Vec::new();
    for route in routes {
        if !tags.iter().any(|tag| tag["name"] == route.service) {
            // The second is what several viewers show in place of the name.
            let title = route.service_title();
            tags.push(
                json!({ "name": route.service, "description": title, "x-displayName": title }),
            );
        }
    }
    tags
}

fn operation(route: &'static Route) -> Value {
    let mut operation = json!({
        "operationId": format!("{}_{}", route.service, route.action),
        "tags": [route.service],
        "summary": route.title,
        "description": route.purpose,
        "requestBody": request_body(route),
        "responses": responses::of(route),
        "security": security(route),
    });
    if route
        .params
        .iter()
        .any(|param| param.name == IDEMPOTENCY_KEY.name)
    {
        let header = format!("#/components/parameters/{IDEMPOTENCY_HEADER}");
        operation["parameters"] = json!([{ "$ref": header }]);
    }
    operation
}

/// The token stands in the header or in the body. OpenAPI cannot say "one of the two": so the parameter is
/// described as optional in the body, the header as one way, and the empty requirement as the other.
fn security(route: &Route) -> Value {
    match route.token() {
        Some(_) => json!([{ BEARER: [] }, {}]),
        None => json!([]),
    }
}

fn request_body(route: &'static Route) -> Value {
    let params = params::object(route.params);
    let example: Value = serde_json::from_str(route.example).unwrap_or_default();
    let media = if route.sensitive {
        json!({
            "schema": {
                "type": "string",
                "contentEncoding": "base64",
                "contentMediaType": "application/json",
                "contentSchema": params,
            },
            "example": BASE64.encode(route.example),
        })
    } else {
        json!({ "schema": params, "example": example })
    };
    // A token in the header needs no body where nothing else is required.
    let required = route.token().is_none()
        || route
            .params
            .iter()
            .any(|param| param.required && !matches!(param.kind, Kind::Token));
    json!({ "required": required, "content": { route.content_type(): media } })
}

fn idempotency_key() -> Value {
    json!({
        "name": IDEMPOTENCY_HEADER,
        "in": "header",
        "description": "In place of the parameter `idempotency_key`, which counts before it.",
        "schema": params::schema(&IDEMPOTENCY_KEY.required()),
    })
}

#[cfg(test)]
mod tests;
