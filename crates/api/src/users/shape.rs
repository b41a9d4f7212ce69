//! Users, as they are answered.

use contract::{Field, Record, Shape};
use domain::user::Role;

use crate::sessions::shape::WITH_TOKEN;
use crate::shapes::{CREATED_AT, REPLAYED, UPDATED_AT};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Their identity.").such_as("3"),
    Field::new("email", Shape::String, "Where mail reaches them.").such_as(r#""ann@example.com""#),
    Field::new(
        "name",
        Shape::String,
        "What they are called; null until they say.",
    )
    .nullable()
    .such_as(r#""Ann Example""#),
    Field::new(
        "roles",
        Shape::List(&Shape::OneOf(&Role::NAMES)),
        "What they may be.",
    )
    .such_as(r#"["client"]"#),
    Field::new(
        "scoped_integrations",
        Shape::List(&Shape::Integer),
        "The integrations that they may use as client or liaison.",
    )
    .such_as("[1]"),
    Field::new(
        "remember_me",
        Shape::Boolean,
        "Whether their sessions last until they sign out.",
    )
    .such_as("false"),
    Field::new(
        "has_password",
        Shape::Boolean,
        "Whether they can sign in by a password.",
    ),
    CREATED_AT,
    UPDATED_AT,
];

const CLIENT: Shape = Shape::Record(&Record {
    name: "client",
    parts: &[&[
        Field::new("id", Shape::Integer, "Its identity.").such_as("1"),
        Field::new("user_id", Shape::Integer, "The user.").such_as("3"),
        CREATED_AT,
    ]],
});

pub(crate) const USER: Shape = Shape::Record(&Record {
    name: "user",
    parts: &[FIELDS],
});

pub(crate) const USERS: Shape = Shape::List(&USER);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "user_created",
    parts: &[FIELDS, &[REPLAYED]],
});

/// Who has just registered.
pub(crate) const REGISTERED: Shape = Shape::Record(&Record {
    name: "registered",
    parts: &[&[
        Field::new("user", USER, "The user."),
        Field::new("client", CLIENT, "The record that makes them a client."),
        Field::new(
            "session",
            WITH_TOKEN,
            "The session that they are signed in by.",
        ),
    ]],
});
