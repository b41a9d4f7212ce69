//! An order, as it is answered: all of its fields, always.

use contract::{Field, Record, Shape};

use crate::shapes::{CREATED_AT, INTEGRATION_ID, REPLAYED, UPDATED_AT};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity.").such_as("42"),
    INTEGRATION_ID,
    Field::new(
        "external_order_id",
        Shape::String,
        "Its id at the order system, unique in the integration.",
    )
    .nullable()
    .such_as(r#""A-1001""#),
    Field::new(
        "status",
        Shape::String,
        "Its status, a slug of the list `order_status`.",
    )
    .such_as(r#""scheduled""#),
    Field::new("sequence", Shape::Integer, "How many stages it has had.").such_as("2"),
    text(
        "external_property_id",
        "The property's id at the order system.",
    ),
    text("billing_entity_slug", "Who pays."),
    json("address", "Where the property is.").such_as(
        r#"{"street": "12 Elm St", "city": "Denver", "state": "CO", "postal_code": "80202"}"#,
    ),
    json("property", "Facts of the property."),
    json("client", "Who ordered."),
    json("property_access", "How to get in."),
    json(
        "services",
        "What was ordered; the first one is the primary service.",
    )
    .such_as(r#"[{"group_slug": "photos", "quantity": 1}]"#),
    json("appointments", "When somebody comes."),
    json("links", "Where tours and the like are."),
    json("assets", "Photos, floor plans and the like."),
    json("metadata", "The caller's own entries.").such_as(r#"{"source": "crm"}"#),
    text("order_notes", "A remark."),
    CREATED_AT,
    UPDATED_AT,
];

const fn text(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Shape::String, description).nullable()
}

/// As it was sent, or null.
const fn json(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Shape::Json, description).nullable()
}

pub(crate) const ORDER: Shape = Shape::Record(&Record {
    name: "order",
    parts: &[FIELDS],
});

pub(crate) const ORDERS: Shape = Shape::List(&ORDER);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "order_created",
    parts: &[FIELDS, &[REPLAYED]],
});
