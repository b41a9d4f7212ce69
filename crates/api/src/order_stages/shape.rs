//! Changes of orders and their receipts, as they are answered.

use contract::{FAULT, Field, Record, Shape};

use crate::match_trace::MATCH_TRACE;
use crate::shapes::{CREATED_AT, INTEGRATION_ID, REPLAYED};

const ID: Field = Field::new("id", Shape::Integer, "Its identity.").such_as("310");
const ORDER_ID: Field =
    Field::new("order_id", Shape::Integer, "The order that changed.").such_as("42");
const STAGE: Field = Field::new(
    "stage",
    Shape::String,
    "The order status that was reported.",
)
.such_as(r#""scheduled""#);
const EVENT_SLUG: Field = Field::new("event_slug", Shape::String, "The event that was reported.")
    .nullable()
    .such_as(r#""appointment.scheduled""#);
const STAGE_AT: Field = Field::new("stage_at", Shape::Time, "When it happened, as reported.");

const FIELDS: &[Field] = &[
    ID,
    INTEGRATION_ID,
    ORDER_ID,
    Field::new(
        "sequence",
        Shape::Integer,
        "The how-manieth stage of the order, from 1.",
    )
    .such_as("2"),
    STAGE,
    EVENT_SLUG,
    Field::new(
        "update_status",
        Shape::Boolean,
        "Whether the order took the status.",
    ),
    STAGE_AT,
    CREATED_AT,
];

const ORDER_STAGE: Shape = Shape::Record(&Record {
    name: "order_stage",
    parts: &[FIELDS],
});

/// The answer of show.
pub(crate) const ORDER_STAGE_SHOWN: Shape = Shape::Record(&Record {
    name: "order_stage_shown",
    parts: &[
        FIELDS,
        &[Field::new(
            "match_trace",
            MATCH_TRACE,
            "What it met in each subscription; null where it was accepted before that was kept.",
        )
        .nullable()],
    ],
});

pub(crate) const ORDER_STAGES: Shape = Shape::List(&ORDER_STAGE);

const JOB_RECEIPT: Record = Record {
    name: "webhook_job_receipt",
    parts: &[&[
        Field::new("id", Shape::Integer, "The job.").such_as("4711"),
        Field::new(
            "webhook_out_sub_id",
            Shape::Integer,
            "The subscription that it is for.",
        )
        .such_as("12"),
    ]],
};

/// The answer of a create.
pub(crate) const ACCEPTED: Shape = Shape::Record(&Record {
    name: "order_stage_accepted",
    parts: &[&[
        ID,
        ORDER_ID,
        STAGE,
        EVENT_SLUG,
        STAGE_AT,
        Field::new(
            "webhook_jobs",
            Shape::List(&Shape::Record(&JOB_RECEIPT)),
            "The jobs that were made.",
        ),
        REPLAYED,
    ]],
});

const RECEIPT: Record = Record {
    name: "order_stage_receipt",
    parts: &[&[
        Field::new("code", Shape::Integer, "As an answer of its own would have it.").such_as("200"),
        Field::new("status", Shape::String, "As an answer of its own would have it.")
            .such_as(r#""action-successful""#),
        Field::new("data", ACCEPTED, "The change; absent where it was refused.")
            .optional()
            .such_as(
                r#"{"id": 310, "order_id": 42, "stage": "scheduled", "event_slug": null, "stage_at": "2026-01-31T16:20:00Z", "webhook_jobs": [{"id": 4711, "webhook_out_sub_id": 12}]}"#,
            ),
        Field::new("message", Shape::String, "Why it was refused, for people; absent otherwise.")
            .optional(),
        Field::new(
            "errors",
            Shape::List(&Shape::Record(&FAULT)),
            "Each parameter that is to blame; absent where none is.",
        )
        .optional(),
    ]],
};

/// A receipt for each change, in their order.
pub(crate) const RECEIPTS: Shape = Shape::List(&Shape::Record(&RECEIPT));
