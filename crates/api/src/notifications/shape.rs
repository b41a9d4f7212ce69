//! A notification, as it is answered.

use contract::{Field, Record, Shape};
use domain::notification::NotificationKind;

pub(crate) const NOTIFICATION: Shape = Shape::Record(&Record {
    name: "notification",
    parts: &[&[
        Field::new("id", Shape::Integer, "Its identity."),
        Field::new(
            "kind",
            Shape::OneOf(&NotificationKind::NAMES),
            "What happened.",
        )
        .such_as(r#""job_exhausted""#),
        Field::new(
            "about",
            Shape::String,
            "To what: a route, a subscription and the like.",
        )
        .such_as(r#""webhook_out_sub:12""#),
        Field::new(
            "integration_id",
            Shape::Integer,
            "Where, if it belongs to one integration.",
        )
        .nullable()
        .such_as("1"),
        Field::new(
            "webhook_out_sub_id",
            Shape::Integer,
            "The subscription, if it concerns one.",
        )
        .nullable()
        .such_as("12"),
        Field::new(
            "message",
            Shape::String,
            "A sentence for people; of the last time.",
        ),
        Field::new(
            "request_id",
            Shape::String,
            "The `x-request-id` of the request of the last time, if one is to blame.",
        )
        .nullable(),
        Field::new("times", Shape::Integer, "How often it happened.").such_as("3"),
        Field::new("created_at", Shape::Time, "When it happened first."),
        Field::new("updated_at", Shape::Time, "When it happened last."),
        Field::new("read_at", Shape::Time, "When it was marked as read.").nullable(),
    ]],
});

pub(crate) const NOTIFICATIONS: Shape = Shape::List(&NOTIFICATION);
