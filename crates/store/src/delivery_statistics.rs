//! Statistics of deliveries: counted in the transaction that records the outcomes, by minute and by hour, for each subscription and
//! for each integration as a whole; so that what an overview costs does not depend on how many jobs there are.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::delivery_statistics::{
    DeliveryFigures, DurationClass, Measure, StatisticsStep, period_of,
};
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::JobState;

use crate::error::StoreError;
use crate::lanes::{NextStep, Outcome};

/// Most periods that are read at once: enough for a plot on the widest screen.
pub const STATISTICS_PERIODS_MAX: usize = 400;

/// Which statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatisticsQuery {
    /// Whose.
    pub integration_id: IntegrationId,
    /// Of this subscription only.
    pub webhook_out_sub_id: Option<WebhookOutSubId>,
    /// When the first period begins: a multiple of `step_seconds` since 1970.
    pub from: Moment,
    /// How long each period is: a multiple of a minute. Multiples of an hour are read from what is counted by the hour.
    pub step_seconds: i64,
    /// How many periods, up to [`STATISTICS_PERIODS_MAX`].
    pub periods: usize,
}

impl StatisticsQuery {
    /// The periods that it is read from, and the end of the last one; nothing for a length that is none.
    pub fn reads(&self) -> Option<(StatisticsStep, Moment)> {
        let step = StatisticsStep::within(self.step_seconds)?;
        let periods = i64::try_from(self.periods.min(STATISTICS_PERIODS_MAX)).ok()?;
        let length = periods.checked_mul(self.step_seconds)?;
        let until = self.from + Duration::from_secs(u64::try_from(length).ok()?);
        Some((step, until))
    }
}

/// Statistics of deliveries.
#[async_trait]
pub trait DeliveryStatistics {
    /// What was counted in each period, the earliest first; as many as were asked for.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn delivery_statistics(
        &self,
        query: StatisticsQuery,
    ) -> Result<Vec<DeliveryFigures>, StoreError>;

    /// Counts the jobs of each integration that wait at this moment, and keeps the number where it is the highest of its minute, and
    /// where it is the highest of its hour.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    async fn count_waiting(&self, now: Moment) -> Result<(), StoreError>;
}

/// What of the table a count belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatisticsKey {
    /// The length of the period.
    pub step: StatisticsStep,
    /// Its beginning.
    pub begins_at: Moment,
    /// Whose.
    pub integration_id: IntegrationId,
    /// Of which subscription; none for the integration as a whole.
    pub webhook_out_sub_id: Option<WebhookOutSubId>,
    /// What was counted.
    pub measure: Measure,
    /// By which duration.
    pub class: DurationClass,
}

/// What a transaction counts: a few rows for many outcomes, in an order that all transactions share.
#[derive(Clone, Debug, Default)]
pub struct StatisticsTally(BTreeMap<StatisticsKey, i64>);

impl StatisticsTally {
    /// Counts an outcome that is recorded, by when its attempt was over: the attempt, and the job if this was its end. `state` is what the
    /// job has come to, `made_at` when it was made.
    pub fn count(
        &mut self,
        integration_id: IntegrationId,
        outcome: &Outcome,
        state: JobState,
        made_at: Moment,
    ) {
        let took = Duration::from_micros(outcome.attempt.timing.total);
        let at = outcome.attempt.started_at + took;
        let measure = match outcome.next {
            NextStep::Delivered => Measure::AttemptDelivered,
            _ => Measure::AttemptFailed,
        };
        let sub = outcome.webhook_out_sub_id;
        self.add(integration_id, sub, at, measure, took);
        let ended = match state {
            JobState::Delivered => Measure::JobDelivered,
            JobState::Exhausted => Measure::JobExhausted,
            _ => return,
        };
        self.add(integration_id, sub, at, ended, at.since(made_at));
    }

    fn add(
        &mut self,
        integration_id: IntegrationId,
        sub: WebhookOutSubId,
        at: Moment,
        measure: Measure,
        took: Duration,
    ) {
        for step in StatisticsStep::ALL {
            for webhook_out_sub_id in [None, Some(sub)] {
                let key = StatisticsKey {
                    step,
                    begins_at: period_of(at, step.seconds()),
                    integration_id,
                    webhook_out_sub_id,
                    measure,
                    class: DurationClass::of(took),
                };
                *self.0.entry(key).or_default() += 1;
            }
        }
    }

    /// The counts, in the order of their keys.
    pub fn counts(&self) -> impl Iterator<Item = (&StatisticsKey, i64)> {
        self.0.iter().map(|(key, count)| (key, *count))
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
