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

/// A link into the portal.
pub(crate) const PORTAL_LINK: Shape = Shape::Record(&Record {
    name: "portal_link",
    parts: &[&[
        Field::new("integration_id", Shape::Integer, "Where it leads to."),
        Field::new("subject", Shape::String, "Who it is for.").such_as(r#""Bob of Acme Homes""#),
        Field::new(
            "url",
            Shape::String,
            "The address of the portal, for whoever the link is for, or for a frame.",
        )
        .such_as(r#""https://postrider.example.com/portal/prp_…""#),
        Field::new(
            "token",
            Shape::String,
            "What the address ends with; it also goes as the token of requests, for what the portal may do.",
        )
        .such_as(r#""prp_…""#),
        Field::new("expires_at", Shape::Time, "Until when it is good."),
    ]],
});

pub(crate) const INTEGRATIONS: Shape = Shape::List(&INTEGRATION);

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "integration_created",
    parts: &[FIELDS, &[REPLAYED]],
});
