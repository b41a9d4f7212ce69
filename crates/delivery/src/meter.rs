//! Figures of attempts, for whoever watches: each is counted when it has ended, committed or not.

use domain::time::Moment;
use metrics::{counter, histogram};
use store::{NextStep, Outcome};

use crate::lane::Start;

/// Counts an attempt, and measures how long it took; and how long the change waited, where it is delivered by it.
pub(crate) fn ended(start: &Start, outcome: &Outcome, now: Moment) {
    let attempt = &outcome.attempt;
    counter!("postrider_attempts_total", "outcome" => attempt.outcome.name()).increment(1);
    histogram!("postrider_attempt_seconds").record(attempt.timing.total as f64 / 1e6);
    if outcome.next == NextStep::Delivered {
        histogram!("postrider_delivery_seconds").record(now.since(start.job.created_at));
    }
}
