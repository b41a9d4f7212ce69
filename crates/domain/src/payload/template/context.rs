//! What a template can tell: the names it may use, and what they stand for.

use minijinja::value::Value;
use serde_json::value::RawValue;

use super::super::write::Object;
use super::super::{StageFacts, View, order_v3, render};
use crate::order::OrderField;
use crate::webhook_out_sub::Version;

/// What a template may name.
pub(super) const NAMES: [&str; 11] = [
    "order",
    "stage",
    "event",
    "stage_at",
    "accepted_at",
    "sequence",
    "order_stage_id",
    "integration_id",
    "order_v2",
    "order_v3",
    "thin",
];

/// Those of them that stand for a number, or for a text that is short.
pub(super) const PLAIN_NAMES: [&str; 7] = [
    "stage",
    "event",
    "stage_at",
    "accepted_at",
    "sequence",
    "order_stage_id",
    "integration_id",
];

/// What `order` has beside its fields.
pub(super) const ORDER_NAMES: [&str; 4] = ["id", "external_order_id", "status", "created_at"];

/// The names that stand in a text, be it by chance: only what may be asked for is made.
pub(super) fn names_within(text: &str) -> Vec<&'static str> {
    NAMES
        .into_iter()
        .filter(|name| text.contains(name))
        .collect()
}

/// What these names stand for.
pub(super) fn context(wanted: &[&'static str], facts: &StageFacts<'_>) -> Value {
    let pairs = wanted.iter().map(|name| (*name, value_of(name, facts)));
    Value::from_pairs(pairs)
}

fn value_of(name: &str, facts: &StageFacts<'_>) -> Value {
    match name {
        "order" => order(facts),
        "stage" => facts.stage.into(),
        "event" => facts.event_slug.into(),
        "stage_at" => facts.stage_at.to_string().into(),
        "accepted_at" => facts.accepted_at.to_string().into(),
        "sequence" => facts.sequence.into(),
        "order_stage_id" => facts.order_stage_id.0.into(),
        "integration_id" => facts.integration_id.0.into(),
        built_in => View::parse(built_in).map_or(Value::UNDEFINED, |view| {
            // Built-in views have one shape in all versions.
            value(&render(view, Version::V3, facts))
        }),
    }
}

/// The order, under the names that orders/create has; unknown fields are null.
fn order(facts: &StageFacts<'_>) -> Value {
    let known: [(&str, Value); 4] = [
        (ORDER_NAMES[0], facts.order_id.0.into()),
        (ORDER_NAMES[1], facts.external_order_id.into()),
        (ORDER_NAMES[2], facts.order_status.into()),
        (ORDER_NAMES[3], facts.order_created_at.to_string().into()),
    ];
    let fields = OrderField::ALL
        .into_iter()
        .map(|field| (field.name(), field_value(field, facts)));
    Value::from_pairs(known.into_iter().chain(fields))
}

/// `property_access` has the members that `order_v3` sends, and no other: its code opens a door.
fn field_value(field: OrderField, facts: &StageFacts<'_>) -> Value {
    let json = facts.fields.get(field).map(RawValue::get);
    match (field, json) {
        (OrderField::PropertyAccess, Some(_)) => {
            let mut picked = Vec::new();
            order_v3::property_access(Object::begin(&mut picked), facts.fields);
            value(&picked)
        }
        (_, Some(json)) => value(json.as_bytes()),
        (_, None) => ().into(),
    }
}

/// JSON as a template sees it; null where it holds what no program can: a number beyond all bounds.
fn value(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_else(|_| ().into())
}
