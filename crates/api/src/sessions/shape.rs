//! Sessions, and mailed links, as they are answered.

use contract::{Field, Record, Shape};

use crate::users::shape::USER;

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity."),
    Field::new("user_id", Shape::Integer, "Who signed in.").such_as("3"),
    Field::new("created_at", Shape::Time, "When they signed in."),
    Field::new("last_used_at", Shape::Time, "When it was last used."),
];
const EXPIRES_AT: Field = Field::new(
    "expires_at",
    Shape::Time,
    "When it ends if it is not used again; null for users who are remembered.",
)
.nullable()
.such_as(r#""2026-02-03T16:20:00Z""#);
const TOKEN: Field = Field::new(
    "token",
    Shape::String,
    "What goes with every request; shown only now.",
)
.such_as(r#""prs_…""#);
const OF_USER: Field = Field::new("user", USER, "Who signed in.");

/// A session that has ended.
pub(crate) const ENDED: Shape = Shape::Record(&Record {
    name: "session_ended",
    parts: &[FIELDS],
});

/// A session.
pub(crate) const SESSION: Shape = Shape::Record(&Record {
    name: "session",
    parts: &[FIELDS, &[EXPIRES_AT, OF_USER]],
});

/// A session that has just begun.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "session_created",
    parts: &[FIELDS, &[EXPIRES_AT, TOKEN, OF_USER]],
});

/// A session with its token, beside its user.
pub(crate) const WITH_TOKEN: Shape = Shape::Record(&Record {
    name: "session_with_token",
    parts: &[FIELDS, &[EXPIRES_AT, TOKEN]],
});

/// A link that was mailed.
pub(crate) const MAILED: Shape = Shape::Record(&Record {
    name: "mailed",
    parts: &[&[
        Field::new("email", Shape::String, "Where the link was mailed to.")
            .such_as(r#""ann@example.com""#),
        Field::new("expires_at", Shape::Time, "Until when the link is good."),
    ]],
});
