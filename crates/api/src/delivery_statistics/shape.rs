//! Statistics of deliveries, as they are answered.

use contract::{Field, Record, Shape};
use domain::delivery_statistics::{DeliveryFigures, DurationCounts, Measure};
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::time::Moment;
use serde::Serialize;

use crate::shapes::INTEGRATION_ID;

/// The answer.
#[derive(Serialize)]
pub(super) struct Shown {
    pub(super) integration_id: IntegrationId,
    pub(super) webhook_out_sub_id: Option<WebhookOutSubId>,
    pub(super) step_seconds: i64,
    pub(super) ends_at: Moment,
    pub(super) total: Period,
    pub(super) periods: Vec<Period>,
}

/// What was counted in a period.
#[derive(Serialize)]
pub(super) struct Period {
    begins_at: Moment,
    delivered: u64,
    failed: u64,
    exhausted: u64,
    waiting: Option<u64>,
    delivery_time: Option<Percentiles>,
    attempt_time: Option<Percentiles>,
}

/// In microseconds.
#[derive(Serialize)]
struct Percentiles {
    p50: u64,
    p95: u64,
    p99: u64,
}

impl Period {
    /// What waits is counted for whole integrations only.
    pub(super) fn of(begins_at: Moment, figures: &DeliveryFigures, is_whole: bool) -> Period {
        Period {
            begins_at,
            delivered: figures.of(Measure::JobDelivered).total(),
            failed: figures.of(Measure::AttemptFailed).total(),
            exhausted: figures.of(Measure::JobExhausted).total(),
            waiting: is_whole.then(|| figures.of(Measure::JobWaiting).total()),
            delivery_time: Percentiles::of(figures.of(Measure::JobDelivered)),
            attempt_time: Percentiles::of(figures.of(Measure::AttemptDelivered)),
        }
    }
}

impl Percentiles {
    fn of(counts: &DurationCounts) -> Option<Percentiles> {
        let microseconds = |percent| {
            let duration = counts.percentile(percent)?;
            Some(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
        };
        Some(Percentiles {
            p50: microseconds(50)?,
            p95: microseconds(95)?,
            p99: microseconds(99)?,
        })
    }
}

const PERCENTILES: Record = Record {
    name: "duration_percentiles",
    parts: &[&[
        Field::new(
            "p50",
            Shape::Integer,
            "Half of them took no longer, in microseconds.",
        )
        .such_as("81000"),
        Field::new("p95", Shape::Integer, "95 of 100 took no longer.").such_as("240000"),
        Field::new("p99", Shape::Integer, "99 of 100 took no longer.").such_as("900000"),
    ]],
};

const PERIOD: Record = Record {
    name: "delivery_statistics_period",
    parts: &[&[
        Field::new("begins_at", Shape::Time, "When the period begins."),
        Field::new("delivered", Shape::Integer, "Jobs that were delivered in it.").such_as("1250"),
        Field::new(
            "failed",
            Shape::Integer,
            "Attempts that failed in it, whatever became of their jobs.",
        )
        .such_as("3"),
        Field::new("exhausted", Shape::Integer, "Jobs that were given up in it.").such_as("0"),
        Field::new(
            "waiting",
            Shape::Integer,
            "The most jobs that waited at one moment of it, by a count every minute; null where a single subscription is asked for.",
        )
        .nullable()
        .such_as("17"),
        Field::new(
            "delivery_time",
            Shape::Record(&PERCENTILES),
            "How long the jobs that were delivered took, from when they were made; null where there were none. Percentiles are right to \
             within a third.",
        )
        .nullable()
        .such_as(r#"{"p50": 95000, "p95": 300000, "p99": 1200000}"#),
        Field::new(
            "attempt_time",
            Shape::Record(&PERCENTILES),
            "How long the attempts that were accepted took; null where there were none.",
        )
        .nullable()
        .such_as(r#"{"p50": 81000, "p95": 240000, "p99": 900000}"#),
    ]],
};

pub(super) const DELIVERY_STATISTICS: Shape = Shape::Record(&Record {
    name: "delivery_statistics",
    parts: &[&[
        INTEGRATION_ID,
        Field::new(
            "webhook_out_sub_id",
            Shape::Integer,
            "The only subscription that is counted; null where all are.",
        )
        .nullable(),
        Field::new("step_seconds", Shape::Integer, "How long a period is.").such_as("60"),
        Field::new("ends_at", Shape::Time, "When the last period ends."),
        Field::new("total", Shape::Record(&PERIOD), "All periods as one."),
        Field::new(
            "periods",
            Shape::List(&Shape::Record(&PERIOD)),
            "Every period, the earliest first.",
        ),
    ]],
});
