//! Webhook jobs and their attempts, as they are answered.

use contract::{Field, Record, Shape};
use domain::webhook_job::JobState;

use crate::shapes::{CREATED_AT, INTEGRATION_ID};

const FIELDS: &[Field] = &[
    Field::new("id", Shape::Integer, "Its identity.").such_as("4711"),
    INTEGRATION_ID,
    Field::new("webhook_out_sub_id", Shape::Integer, "The subscription that it is for.").such_as("12"),
    Field::new("webhook_subscriber", Shape::String, "The subscription's key.").such_as(r#""crm""#),
    Field::new("callback_url", Shape::String, "Where it goes: the subscription's URL as it is now.")
        .such_as(r#""https://crm.example.com/hooks/orders""#),
    Field::new("order_id", Shape::Integer, "The order; null for a test.").nullable().such_as("42"),
    Field::new("order_stage_id", Shape::Integer, "The change that it tells of; null for a test.")
        .nullable()
        .such_as("310"),
    Field::new("external_order_id", Shape::String, "The order's id at the order system.")
        .nullable()
        .such_as(r#""A-1001""#),
    Field::new("sequence", Shape::Integer, "The change's place in the order's history.")
        .nullable()
        .such_as("2"),
    Field::new("status", Shape::String, "The order status that it tells of; null where it tells of a subscription.")
        .nullable()
        .such_as(r#""scheduled""#),
    Field::new("event", Shape::String, "The order event that it tells of.")
        .nullable()
        .such_as(r#""appointment.scheduled""#),
    Field::new("address", Shape::String, "The street of the order, for people.")
        .nullable()
        .such_as(r#""12 Elm St""#),
    Field::new("state", Shape::OneOf(&JobState::NAMES), "How far it has come.")
        .such_as(r#""delivered""#),
    Field::new("webhook_id", Shape::String, "The same on every attempt; the header `webhook-id`.")
        .such_as(r#""msg_019c1a2b3c4d7e8f9a0b1c2d3e4f5a6b""#),
    Field::new("attempt_count", Shape::Integer, "How many attempts were made.").such_as("1"),
    Field::new("status_code", Shape::Integer, "The status of the last answer; null where none came.")
        .nullable()
        .such_as("200"),
    Field::new("next_attempt_at", Shape::Time, "When it is due next; null for a final or held one.")
        .nullable(),
    Field::new(
        "held_by",
        Shape::Integer,
        "The earlier job that it waits for.",
    )
    .nullable(),
    Field::new(
        "passed",
        Shape::Boolean,
        "Whether a later one of the same order was let past, since the receiver refused this one itself.",
    )
    .such_as("false"),
    Field::new("test", Shape::Boolean, "Whether it was made by send_test.").such_as("false"),
    Field::new("retry_of", Shape::Integer, "The job that this one repeats by hand.").nullable(),
    Field::new(
        "cancel_requested",
        Shape::Boolean,
        "Withdrawn while an attempt was under way: it will not be attempted again.",
    )
    .such_as("false"),
    Field::new(
        "payload_render_view_failed",
        Shape::String,
        "Why the subscription's own payload view failed, where the version's default was sent in its place.",
    )
    .nullable(),
    CREATED_AT,
    Field::new("finished_at", Shape::Time, "When it became final.")
        .nullable()
        .such_as(r#""2026-01-31T16:20:01Z""#),
];

pub(crate) const WEBHOOK_JOB: Shape = Shape::Record(&Record {
    name: "webhook_job",
    parts: &[FIELDS],
});

pub(crate) const WEBHOOK_JOBS: Shape = Shape::List(&WEBHOOK_JOB);

const TIMING: Record = Record {
    name: "webhook_attempt_timing",
    parts: &[&[
        phase("resolve", "Resolving the name.").such_as("900"),
        phase("connect", "Connecting.").such_as("12000"),
        phase("tls", "The TLS handshake.").such_as("25000"),
        phase(
            "first_byte",
            "From sending until the head of the answer was there.",
        )
        .such_as("81000"),
        Field::new(
            "total",
            Shape::Integer,
            "The whole exchange, in microseconds.",
        )
        .such_as("120000"),
    ]],
};

const fn phase(name: &'static str, description: &'static str) -> Field {
    Field::new(name, Shape::Integer, description).nullable()
}

const WEBHOOK_ATTEMPT: Record = Record {
    name: "webhook_attempt",
    parts: &[&[
        Field::new(
            "number",
            Shape::Integer,
            "The how-manieth attempt of the job, from 1.",
        )
        .such_as("1"),
        Field::new("started_at", Shape::Time, "When it began."),
        Field::new("callback_url", Shape::String, "Where it was sent.")
            .such_as(r#""https://crm.example.com/hooks/orders""#),
        Field::new(
            "outcome",
            Shape::OneOf(&["delivered", "endpoint_fault", "job_fault", "gone"]),
            "What it came to.",
        ),
        Field::new(
            "status_code",
            Shape::Integer,
            "The status of the answer, if one came.",
        )
        .nullable()
        .such_as("200"),
        Field::new(
            "fault",
            Shape::String,
            "A stable name of what went wrong where no answer came.",
        )
        .nullable(),
        Field::new(
            "message",
            Shape::String,
            "The same, or the verdict on the answer, in plain words.",
        )
        .nullable(),
        Field::new(
            "address",
            Shape::String,
            "The address that was connected to.",
        )
        .nullable()
        .such_as(r#""203.0.113.7:443""#),
        Field::new(
            "timing",
            Shape::Record(&TIMING),
            "How long each phase took, in microseconds; null for one that was not needed.",
        ),
        Field::new(
            "answer_headers",
            Shape::List(&Shape::List(&Shape::String)),
            "Headers of the answer as they came, each a pair of name and value.",
        )
        .such_as(r#"[["content-type", "application/json"]]"#),
        Field::new(
            "answer_body",
            Shape::String,
            "The first bytes of the answer's body as text; what is not UTF-8 is replaced.",
        )
        .nullable()
        .such_as(r#""{\"ok\":true}""#),
        Field::new(
            "answer_body_truncated",
            Shape::Boolean,
            "Whether the body went on, or did not end.",
        )
        .such_as("false"),
    ]],
};

/// A job with all that belongs to it.
pub(crate) const SHOWN: Shape = Shape::Record(&Record {
    name: "webhook_job_shown",
    parts: &[
        FIELDS,
        &[
            Field::new(
                "attempts",
                Shape::List(&Shape::Record(&WEBHOOK_ATTEMPT)),
                "Its attempts, the first one first.",
            ),
            Field::new(
                "payload",
                Shape::Json,
                "What is sent; null once it was removed because of its age.",
            )
            .nullable()
            .such_as(r#"{"event": "appointment.scheduled"}"#),
        ],
    ],
});
