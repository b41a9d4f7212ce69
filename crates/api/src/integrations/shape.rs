//! An integration, as it is answered.

use contract::{Field, Record, Shape};

use crate::shapes::{CREATED_AT, REPLAYED, UPDATED_AT};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity."),
    Field::new("key", Shape::String, "Its name for machines, unique.").such_as(r#""acme-homes""#),
    Field::new("name", Shape::String, "Its name for people.").such_as(r#""Acme Homes""#),
    Field::new(
        "retention_days",
        Shape::Integer,
        "How many days its changes are kept with their jobs; null where the server's configuration decides.",
    )
    .nullable()
    .such_as("30"),
    CREATED_AT,
    UPDATED_AT,
];

pub(crate) const INTEGRATION: Shape = Shape::Record(&Record {
    name: "integration",
    parts: &[FIELDS],
});

pub(crate) const INTEGRATIONS: Shape = Shape::List(&INTEGRATION);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "integration_created",
    parts: &[FIELDS, &[REPLAYED]],
});
