//! A word of a vocabulary, as it is answered.

use contract::{Field, Record, Shape};

use crate::shapes::{CREATED_AT, REPLAYED, UPDATED_AT};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity."),
    Field::new("key", Shape::String, "The list that it belongs to.").such_as(r#""order_status""#),
    Field::new(
        "slug",
        Shape::String,
        "The word that parameters take; unique in its list.",
    )
    .such_as(r#""scheduled""#),
    Field::new("name", Shape::String, "The word for people.").such_as(r#""Scheduled""#),
    Field::new("description", Shape::String, "What it means.").nullable(),
    Field::new("active", Shape::Boolean, "Whether it can be used."),
    CREATED_AT,
    UPDATED_AT,
];

pub(crate) const LIST_ITEM: Shape = Shape::Record(&Record {
    name: "list_item",
    parts: &[FIELDS],
});

pub(crate) const LIST_ITEMS: Shape = Shape::List(&LIST_ITEM);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "list_item_created",
    parts: &[FIELDS, &[REPLAYED]],
});
