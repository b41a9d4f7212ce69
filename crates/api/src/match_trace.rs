//! The match trace, as it is answered: why a change made a job for a subscription, or none.

use contract::{Field, Record, Shape};
use domain::match_trace::Verdict;
use domain::matching::Match;
use domain::webhook_job::JobState;

const TRACED: Record = Record {
    name: "match_trace",
    parts: &[&[
        Field::new("webhook_out_sub_id", Shape::Integer, "The subscription.").such_as("12"),
        Field::new("key", Shape::String, "Its key.").such_as(r#""crm""#),
        Field::new(
            "verdict",
            Shape::OneOf(&Verdict::NAMES),
            "What came of the change: only a `matched` one makes a job.",
        ),
        Field::new(
            "matched_by",
            Shape::OneOf(&Match::NAMES),
            "What of the change the subscription lists; null where nothing.",
        )
        .nullable(),
        Field::new(
            "webhook_job_id",
            Shape::Integer,
            "The job that was made; null where none was.",
        )
        .nullable()
        .such_as("4711"),
        Field::new(
            "webhook_job_state",
            Shape::OneOf(&JobState::NAMES),
            "How far that job has come.",
        )
        .nullable()
        .such_as(r#""delivered""#),
        Field::new("message", Shape::String, "All of that in words.")
            .such_as(r#""its statuses hold the stage""#),
    ]],
};

/// One entry for each subscription, by id.
pub(crate) const MATCH_TRACE: Shape = Shape::List(&Shape::Record(&TRACED));
