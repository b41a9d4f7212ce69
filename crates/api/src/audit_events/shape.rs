//! An audit event, as it is answered.

use contract::{Field, Record, Shape};

use crate::shapes::CREATED_AT;

const AUDIT_EVENT: Shape = Shape::Record(&Record {
    name: "audit_event",
    parts: &[&[
        Field::new("id", Shape::Integer, "Its identity."),
        Field::new("integration_id", Shape::Integer, "Where, if the record belongs to one integration.")
            .nullable()
            .such_as("1"),
        Field::new(
            "actor",
            Shape::Json,
            "Who did it: `{\"application\": id}`, `{\"user\": id}`, `{\"portal\": name}`, `\"visitor\"`, `\"command_line\"` or \
             `\"postrider\"`.",
        )
        .such_as(r#"{"application": 2}"#),
        Field::new("request_id", Shape::String, "The `x-request-id` of the request.").nullable(),
        Field::new("noun", Shape::String, "The kind of record.").such_as(r#""webhook_out_sub""#),
        Field::new("record_id", Shape::Integer, "The record.").such_as("12"),
        Field::new("action", Shape::String, "What was done.").such_as(r#""update""#),
        Field::new("before", Shape::Json, "The record before, secrets left out.").nullable(),
        Field::new("after", Shape::Json, "The record after, secrets left out.").nullable(),
        CREATED_AT,
    ]],
});

pub(crate) const AUDIT_EVENTS: Shape = Shape::List(&AUDIT_EVENT);
