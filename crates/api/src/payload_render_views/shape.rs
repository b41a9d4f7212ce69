//! Payload views, as they are answered.

use contract::{Field, Record, Shape};

use crate::shapes::{CREATED_AT, REPLAYED, UPDATED_AT};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity.").such_as("5"),
    Field::new(
        "integration_id",
        Shape::Integer,
        "Whose it is; null for all.",
    )
    .nullable()
    .such_as("1"),
    Field::new("key", Shape::String, "The name that subscriptions use.").such_as(r#""crm""#),
    Field::new("name", Shape::String, "Its name for people.").such_as(r#""Acme CRM""#),
    Field::new("description", Shape::String, "What it is for.").nullable(),
    Field::new(
        "revision",
        Shape::Integer,
        "The number of its newest revision.",
    )
    .such_as("3"),
    CREATED_AT,
    UPDATED_AT,
];
const SHOWN_REVISION: Field = Field::new(
    "shown_revision",
    Shape::Integer,
    "The number of the revision whose template this is.",
)
.such_as("3");
const TEMPLATE: Field = Field::new("template", Shape::String, "The template of that revision.")
    .such_as(r#""{\"status\": {{ stage }}}""#);

pub(crate) const VIEW: Shape = Shape::Record(&Record {
    name: "payload_render_view",
    parts: &[FIELDS],
});

pub(crate) const VIEWS: Shape = Shape::List(&VIEW);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "payload_render_view_created",
    parts: &[FIELDS, &[REPLAYED]],
});

/// A view with the template of a revision.
pub(crate) const SHOWN: Shape = Shape::Record(&Record {
    name: "payload_render_view_shown",
    parts: &[FIELDS, &[SHOWN_REVISION, TEMPLATE]],
});

/// What a view renders.
pub(crate) const PREVIEW: Shape = Shape::Record(&Record {
    name: "payload_preview",
    parts: &[&[
        Field::new("payload", Shape::Json, "What would be sent.")
            .such_as(r#"{"status": "scheduled"}"#),
        Field::new("bytes", Shape::Integer, "How long it is, in bytes.").such_as("23"),
    ]],
});
