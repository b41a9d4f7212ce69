//! What has happened since the start, for metrics.

use std::time::Duration;

use domain::time::Moment;
use domain::webhook_job::AttemptOutcome;
use store::{NextStep, Outcome};

/// The upper bounds of a histogram's buckets, in milliseconds; the last bucket has none.
pub const BUCKET_MILLISECONDS: [u64; 14] = [
    1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000, 15_000, 60_000, 3_600_000,
];

/// Durations, counted by size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// How many fell in each bucket of [`BUCKET_MILLISECONDS`] (and in none before), and beyond the last.
    pub counts: [u64; BUCKET_MILLISECONDS.len() + 1],
    /// All of them together.
    pub sum: Duration,
}

/// Counts that only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Attempts, in the order of [`AttemptOutcome::ALL`].
    pub attempts: [u64; AttemptOutcome::ALL.len()],
    /// Jobs that were given up.
    pub exhausted: u64,
    /// How long attempts took.
    pub attempt_time: Histogram,
    /// How long it took from accepting changes until their jobs were delivered.
    pub delivery_time: Histogram,
}

impl Histogram {
    fn add(&mut self, duration: Duration) {
        let fits = |bound: &u64| duration <= Duration::from_millis(*bound);
        let bucket = BUCKET_MILLISECONDS.iter().position(fits);
        self.counts[bucket.unwrap_or(BUCKET_MILLISECONDS.len())] += 1;
        self.sum = self.sum.saturating_add(duration);
    }
}

impl Totals {
    pub(crate) fn count(&mut self, outcome: &Outcome, created_at: Moment, now: Moment) {
        let attempt = &outcome.attempt;
        self.attempts[attempt.outcome as usize] += 1;
        self.attempt_time
            .add(Duration::from_micros(attempt.timing.total));
        match outcome.next {
            NextStep::Delivered => self.delivery_time.add(now.since(created_at)),
            NextStep::Exhausted => self.exhausted += 1,
            NextStep::Retry { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_fall_in_the_first_bucket_that_holds_them() {
        let mut histogram = Histogram::default();
        let cases = [
            (0, 0),
            (1_000, 0),
            (1_001, 1),
            (3_600_000_000, 13),
            (3_600_000_001, 14),
        ];
        for (microseconds, bucket) in cases {
            let before = histogram.counts[bucket];
            histogram.add(Duration::from_micros(microseconds));
            assert_eq!(histogram.counts[bucket], before + 1, "{microseconds}");
        }
        assert_eq!(histogram.counts.iter().sum::<u64>(), 5);
    }

    #[test]
    fn outcomes_are_counted_in_the_order_of_their_names() {
        for (index, outcome) in AttemptOutcome::ALL.into_iter().enumerate() {
            assert_eq!(outcome as usize, index);
        }
    }
}
