//! Applications, as they are answered.

use contract::{Field, Record, Shape};

use crate::shapes::{CREATED_AT, REPLAYED};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity.").such_as("2"),
    Field::new("slug", Shape::String, "Its name, unique.").such_as(r#""order-feed""#),
    Field::new(
        "integration_id",
        Shape::Integer,
        "The only integration that it may use; null for all.",
    )
    .nullable()
    .such_as("1"),
    Field::new("active", Shape::Boolean, "Whether its tokens are accepted."),
    CREATED_AT,
    Field::new(
        "token_created_at",
        Shape::Time,
        "When its token was last renewed.",
    ),
    Field::new(
        "previous_token_until",
        Shape::Time,
        "Until when the token before is accepted as well.",
    )
    .nullable(),
];
const TOKEN: Field =
    Field::new("token", Shape::String, "Its token; shown only now.").such_as(r#""pra_…""#);

pub(crate) const APPLICATION: Shape = Shape::Record(&Record {
    name: "application",
    parts: &[FIELDS],
});

pub(crate) const APPLICATIONS: Shape = Shape::List(&APPLICATION);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "application_created",
    parts: &[FIELDS, &[TOKEN, REPLAYED]],
});

/// The answer of a rotation.
pub(crate) const ROTATED: Shape = Shape::Record(&Record {
    name: "application_rotated",
    parts: &[FIELDS, &[TOKEN]],
});
