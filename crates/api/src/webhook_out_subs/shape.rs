//! A subscription, as it is answered.

use contract::{Field, Record, Shape};
use domain::webhook_out_sub::{Ordering, Version};

use crate::shapes::{CREATED_AT, INTEGRATION_ID, REPLAYED, UPDATED_AT};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity.").such_as("12"),
    INTEGRATION_ID,
    Field::new(
        "key",
        Shape::String,
        "Its name for machines, unique in the integration.",
    )
    .such_as(r#""crm""#),
    Field::new("name", Shape::String, "Its name for people.").such_as(r#""Acme CRM""#),
    Field::new("callback_url", Shape::String, "Where payloads are POSTed.")
        .such_as(r#""https://crm.example.com/hooks/orders""#),
    Field::new(
        "statuses",
        WORDS,
        "Order statuses that make a job; `\"*\"` means all.",
    )
    .such_as(r#"["scheduled", "completed"]"#),
    Field::new(
        "events",
        WORDS,
        "Order events that make a job; `\"*\"` means all.",
    )
    .such_as(r#"["order.delivered"]"#),
    Field::new(
        "notification_emails",
        Shape::String,
        "Who is told when the callback keeps failing.",
    )
    .nullable()
    .such_as(r#""ops@example.com""#),
    Field::new(
        "success_code",
        Shape::String,
        "Which statuses count as delivered; null means any 2XX.",
    )
    .nullable()
    .such_as(r#""2xx""#),
    Field::new(
        "payload_render_view",
        Shape::String,
        "The view that renders payloads; null means the version's own.",
    )
    .nullable(),
    Field::new("active", Shape::Boolean, "Whether jobs are made and sent."),
    Field::new(
        "notify",
        Shape::Boolean,
        "Whether mails are sent to `notification_emails`.",
    )
    .such_as("false"),
    Field::new(
        "version",
        Shape::OneOf(&Version::NAMES),
        "The generation of the payload.",
    )
    .such_as(r#""v3""#),
    Field::new(
        "ordering",
        Shape::OneOf(&Ordering::NAMES),
        "In which order jobs go out.",
    ),
    Field::new(
        "timeout_seconds",
        Shape::Integer,
        "How long an attempt may take; null means the server's setting.",
    )
    .nullable(),
    Field::new(
        "max_in_flight",
        Shape::Integer,
        "Most requests at once; null means 32.",
    )
    .nullable(),
    Field::new("health", Shape::Record(&HEALTH), "How its lane is."),
    CREATED_AT,
    UPDATED_AT,
];

const WORDS: Shape = Shape::List(&Shape::String);

const HEALTH: Record = Record {
    name: "health",
    parts: &[&[
        Field::new(
            "state",
            Shape::OneOf(&["healthy", "resting", "off"]),
            "Healthy: it sends. Resting: it probes with its oldest job. Off: it sends nothing.",
        ),
        Field::new("since", Shape::Time, "Since when it rests or is off.").nullable(),
        Field::new(
            "reason",
            Shape::OneOf(&["gone", "failing_for_days"]),
            "Why it is off.",
        )
        .nullable(),
        Field::new(
            "failing_since",
            Shape::Time,
            "The first failure since the last success.",
        )
        .nullable(),
        Field::new(
            "rested_microseconds",
            Shape::Integer,
            "How long it has rested or been off before `since`, in microseconds.",
        )
        .such_as("0"),
        Field::new(
            "recovering",
            Shape::Boolean,
            "True where it was switched on again and nothing has succeeded since; absent otherwise.",
        )
        .optional(),
    ]],
};

const SIGNING_SECRET: Field = Field::new(
    "signing_secret",
    Shape::String,
    "Its secret as receivers need it, `whsec_…`. No other answer shows it.",
)
.such_as(r#""whsec_…""#);

pub(crate) const WEBHOOK_OUT_SUB: Shape = Shape::Record(&Record {
    name: "webhook_out_sub",
    parts: &[FIELDS],
});

pub(crate) const WEBHOOK_OUT_SUBS: Shape = Shape::List(&WEBHOOK_OUT_SUB);

/// The answer of rotate_secret.
pub(crate) const WITH_SECRET: Shape = Shape::Record(&Record {
    name: "webhook_out_sub_with_secret",
    parts: &[FIELDS, &[SIGNING_SECRET]],
});

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "webhook_out_sub_created",
    parts: &[FIELDS, &[SIGNING_SECRET, REPLAYED]],
});
