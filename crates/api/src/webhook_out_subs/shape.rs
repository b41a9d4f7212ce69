//! A subscription, as it is answered.

use contract::{Field, Record, Shape};
use domain::webhook_out_sub::{Ordering, Version};

use crate::shapes::{CREATED_AT, INTEGRATION_ID, REPLAYED, UPDATED_AT};

pub(super) const FIELDS: &[Field] = &[
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
        "filter",
        Shape::String,
        "What a change must fulfil beside, as a MiniJinja expression; null for nothing.",
    )
    .nullable()
    .such_as(r#""order.address.state == 'CO'""#),
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
    Field::new(
        "supersede",
        Shape::Boolean,
        "Whether a newer job of an order replaces those of it that wait.",
    )
    .such_as("false"),
    Field::new(
        "headers",
        Shape::List(&HEADER),
        "Headers that every request bears beside ours; secret values are masked.",
    ),
    Field::new(
        "retry_policy",
        Shape::Record(&RETRY_POLICY),
        "When failed deliveries are attempted again; null for the server's settings.",
    )
    .nullable(),
    Field::new(
        "rate_limit",
        Shape::Record(&RATE_LIMIT),
        "How many requests the receiver takes; null for as many as come.",
    )
    .nullable(),
    Field::new(
        "asymmetric_signature",
        Shape::Boolean,
        "Whether payloads are signed with an ed25519 key as well (`v1a`).",
    )
    .such_as("false"),
    Field::new(
        "public_key",
        Shape::String,
        "The public half of that key, `whpk_…`; null where there is none.",
    )
    .nullable(),
    Field::new(
        "catching_up",
        Shape::Boolean,
        "Whether the jobs that it missed are still being made; those of new changes follow in their turn.",
    )
    .such_as("false"),
    Field::new("health", Shape::Record(&HEALTH), "How its lane is."),
    CREATED_AT,
    UPDATED_AT,
];

const WORDS: Shape = Shape::List(&Shape::String);

const HEADER: Shape = Shape::Record(&Record {
    name: "callback_header",
    parts: &[&[
        Field::new("name", Shape::String, "Its name.").such_as(r#""x-api-key""#),
        Field::new(
            "value",
            Shape::String,
            "Its value, or `********` for a secret one.",
        )
        .such_as(r#""********""#),
        Field::new("secret", Shape::Boolean, "Whether answers mask the value."),
    ]],
});

const RETRY_POLICY: Record = Record {
    name: "retry_policy",
    parts: &[&[
        Field::new(
            "schedule",
            Shape::List(&Shape::String),
            "The waits between attempts; the last one repeats.",
        )
        .such_as(r#"["5s", "1m", "1h"]"#),
        Field::new(
            "give_up_after",
            Shape::String,
            "How long after its first attempt a job is given up.",
        )
        .such_as(r#""3d""#),
    ]],
};

const RATE_LIMIT: Record = Record {
    name: "rate_limit",
    parts: &[&[
        Field::new(
            "per_second",
            Shape::Number,
            "Requests a second, on average.",
        ),
        Field::new("burst", Shape::Integer, "Requests at once after a rest."),
    ]],
};

const PAUSE: Record = Record {
    name: "pause",
    parts: &[&[
        Field::new("since", Shape::Time, "When it asked."),
        Field::new("until", Shape::Time, "When it is over."),
    ]],
};

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
        Field::new(
            "pause",
            Shape::Record(&PAUSE),
            "When the receiver last asked to be left alone (`Retry-After` with 429 or 503); absent where it never did.",
        )
        .optional(),
    ]],
};

const SIGNING_SECRET: Field = Field::new(
    "signing_secret",
    Shape::String,
    "Its secret as receivers need it, `whsec_…`. Only create, secret and rotate_secret show it.",
)
.such_as(r#""whsec_…""#);

pub(crate) const WEBHOOK_OUT_SUB: Shape = Shape::Record(&Record {
    name: "webhook_out_sub",
    parts: &[FIELDS],
});

pub(crate) const WEBHOOK_OUT_SUBS: Shape = Shape::List(&WEBHOOK_OUT_SUB);

/// The answer of secret and rotate_secret.
pub(crate) const WITH_SECRET: Shape = Shape::Record(&Record {
    name: "webhook_out_sub_with_secret",
    parts: &[FIELDS, &[SIGNING_SECRET]],
});

/// The answer of a create.
pub(crate) const CREATED: Shape = Shape::Record(&Record {
    name: "webhook_out_sub_created",
    parts: &[FIELDS, &[SIGNING_SECRET, REPLAYED]],
});
