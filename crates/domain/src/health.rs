//! The health of a lane: healthy, resting, off.
//!
//! A lane that *rests* sends its oldest job only, when that is due; a success ends the rest. A lane that is
//! *off* sends nothing until somebody switches it on. While it rests or is off, the clock by which jobs are
//! given up stands still.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::OrderId;
use crate::retry::RETRY_AFTER_SECONDS_MAX;
use crate::time::Moment;
use crate::webhook_job::AttemptOutcome;

/// Endpoint faults in a row after which a lane rests.
pub const ENDPOINT_FAULTS_TO_REST: u32 = 5;
/// Different orders that failed in a row, in whatever way, after which a lane rests: a receiver that
/// refuses everything is at fault itself.
pub const ORDERS_FAILED_TO_REST: usize = 20;
/// How old the first failure since the last success is when a lane that still fails is switched off, in
/// seconds: 5 days.
pub const FAILING_SECONDS_TO_OFF: u64 = 5 * 24 * 60 * 60;
/// How fresh another failure must be for that, in seconds: a lane that had nothing to send is not failing.
/// 24 hours, and a little more: a receiver may ask to be left alone for so long, and jitter adds a tenth to a step.
const RECENT_FAILURE_SECONDS: u64 = 27 * 60 * 60;

/// How a lane is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It sends.
    #[default]
    Healthy,
    /// It probes.
    Resting,
    /// It sends nothing.
    Off,
}

/// Why a lane is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffReason {
    /// The receiver answered 410: it wants nothing more.
    Gone,
    /// Nothing has succeeded for five days.
    FailingForDays,
}

/// A lane's health as it is kept and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRecord {
    /// How the lane is.
    pub state: HealthState,
    /// Since when it rests or is off.
    pub since: Option<Moment>,
    /// Why it is off.
    pub reason: Option<OffReason>,
    /// The first failure since the last success.
    pub failing_since: Option<Moment>,
    /// How long it has rested or been off before `since`, in microseconds.
    pub rested_microseconds: i64,
    /// Whether it was switched on again after it was off for a reason, and nothing has succeeded since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovering: bool,
    /// When the receiver asked to be left alone (`Retry-After` with 429 or 503), and until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Pause>,
}

/// A time in which nothing is sent, since the receiver asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// When it asked. Before that, the clock was set back, and the pause is over.
    pub since: Moment,
    /// When it is over.
    pub until: Moment,
}

/// What an attempt did to the lane's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthChange {
    /// Nothing that must be kept.
    None,
    /// It fails for the first time since its last success.
    StartedFailing,
    /// It rests from now on.
    Rested,
    /// It is healthy again.
    Recovered,
    /// It is off from now on.
    SwitchedOff(OffReason),
}

/// A lane's health while it is worked with.
#[derive(Clone, Debug, Default)]
pub struct LaneHealth {
    record: LaneRecord,
    endpoint_faults_in_a_row: u32,
    orders_failed: HashSet<OrderId>,
    last_failure_at: Option<Moment>,
}

impl LaneRecord {
    /// Whether the lane sends nothing.
    pub fn is_off(&self) -> bool {
        self.state == HealthState::Off
    }

    /// Whether what came after is the end of a real trouble: of a rest, or of what it was switched off for. A single
    /// failure and its successful repetition are none.
    pub fn is_ended_by(&self, after: &LaneRecord) -> bool {
        after.state == HealthState::Healthy
            && after.failing_since.is_none()
            && !after.recovering
            && (self.state == HealthState::Resting || self.recovering)
    }
}

impl LaneHealth {
    /// The health that was kept. What was counted towards a rest begins anew.
    pub fn from_record(record: LaneRecord) -> LaneHealth {
        LaneHealth {
            record,
            ..LaneHealth::default()
        }
    }

    /// What is to be kept.
    pub fn record(&self) -> &LaneRecord {
        &self.record
    }

    /// How the lane is.
    pub fn state(&self) -> HealthState {
        self.record.state
    }

    /// A clock in microseconds that stands still while the lane rests or is off.
    pub fn active_clock(&self, now: Moment) -> i64 {
        let stopped_at = self.record.since.map_or(now, |since| since.min(now));
        stopped_at.microseconds() - self.record.rested_microseconds
    }

    /// The wall clock was set, by so many microseconds (back, where they are negative): what is counted from a moment
    /// is counted as if it had not been.
    pub fn clock_set(&mut self, microseconds: i64) {
        let record = &mut self.record;
        let moments = [
            &mut record.since,
            &mut record.failing_since,
            &mut self.last_failure_at,
        ];
        for moment in moments.into_iter().flatten() {
            let moved = moment.microseconds().saturating_add(microseconds);
            *moment = Moment::from_microseconds(moved);
        }
        record.rested_microseconds = record.rested_microseconds.saturating_add(microseconds);
    }

    /// A delivery arrived. A pause that is over is forgotten, or a clock that is set later would bring it back.
    pub fn succeeded(&mut self, now: Moment) -> HealthChange {
        if self.pause(now).is_none() {
            self.record.pause = None;
        }
        self.endpoint_faults_in_a_row = 0;
        self.orders_failed.clear();
        self.last_failure_at = None;
        let was_failing = self.record.failing_since.take().is_some() || self.record.recovering;
        match self.record.state {
            HealthState::Healthy if !was_failing => HealthChange::None,
            // Switched off for good reason; the late success of what was in flight changes nothing.
            HealthState::Off => HealthChange::None,
            HealthState::Healthy | HealthState::Resting => {
                self.go_on(now);
                self.record.recovering = false;
                HealthChange::Recovered
            }
        }
    }

    /// An attempt failed. `order` is none for a test, which counts as no order.
    pub fn failed(
        &mut self,
        outcome: AttemptOutcome,
        order: Option<OrderId>,
        now: Moment,
    ) -> HealthChange {
        if self.record.state == HealthState::Off {
            return HealthChange::None;
        }
        let started = self.record.failing_since.is_none();
        let failing_since = *self.record.failing_since.get_or_insert(now);
        let previous_failure_at = self.last_failure_at.replace(now);
        if outcome == AttemptOutcome::Gone {
            return self.switch_off(OffReason::Gone, now);
        }
        if is_hopeless(failing_since, previous_failure_at, now) {
            return self.switch_off(OffReason::FailingForDays, now);
        }
        if self.counts_to_rest(outcome, order) && self.record.state == HealthState::Healthy {
            self.stop(HealthState::Resting, None, now);
            return HealthChange::Rested;
        }
        if started {
            HealthChange::StartedFailing
        } else {
            HealthChange::None
        }
    }

    /// The receiver asked that nothing be sent for so long; a shorter wish than one before changes nothing.
    /// Returns whether it is to be kept.
    pub fn asked_to_pause(&mut self, delay: Duration, now: Moment) -> bool {
        let until = now + delay.min(Duration::from_secs(RETRY_AFTER_SECONDS_MAX));
        let is_longer = self.pause(now) < Some(until);
        if is_longer {
            self.record.pause = Some(Pause { since: now, until });
        }
        is_longer
    }

    /// Somebody wants to know now: whatever the receiver asked for is over.
    pub fn asked_to_go_on(&mut self) {
        self.record.pause = None;
    }

    /// Until when nothing is sent, since the receiver asked for it.
    pub fn pause(&self, now: Moment) -> Option<Moment> {
        let pause = self.record.pause?;
        (pause.since <= now && now < pause.until).then_some(pause.until)
    }

    /// Somebody switched it off: it sends nothing until it is switched on, for no reason of its own.
    pub fn switched_off_by_hand(&mut self, now: Moment) {
        self.stop(HealthState::Off, None, now);
    }

    /// Somebody switched it on: it starts as if nothing had happened.
    pub fn switched_on(&mut self, now: Moment) {
        self.record.recovering |= self.record.reason.is_some();
        self.go_on(now);
        self.record.failing_since = None;
        self.record.pause = None;
        self.endpoint_faults_in_a_row = 0;
        self.orders_failed.clear();
        self.last_failure_at = None;
    }

    /// Whether what has failed in a row is enough for a rest.
    fn counts_to_rest(&mut self, outcome: AttemptOutcome, order: Option<OrderId>) -> bool {
        if outcome == AttemptOutcome::EndpointFault {
            self.endpoint_faults_in_a_row += 1;
        } else {
            self.endpoint_faults_in_a_row = 0;
        }
        if self.orders_failed.len() < ORDERS_FAILED_TO_REST {
            self.orders_failed.extend(order);
        }
        self.endpoint_faults_in_a_row >= ENDPOINT_FAULTS_TO_REST
            || self.orders_failed.len() >= ORDERS_FAILED_TO_REST
    }

    fn switch_off(&mut self, reason: OffReason, now: Moment) -> HealthChange {
        self.stop(HealthState::Off, Some(reason), now);
        HealthChange::SwitchedOff(reason)
    }

    /// Stops the active clock, unless it stands still already.
    fn stop(&mut self, state: HealthState, reason: Option<OffReason>, now: Moment) {
        self.add_rest(now);
        self.record.state = state;
        self.record.reason = reason;
        self.record.since = Some(now);
    }

    /// Lets the active clock run on.
    fn go_on(&mut self, now: Moment) {
        self.add_rest(now);
        self.record.state = HealthState::Healthy;
        self.record.reason = None;
        self.record.since = None;
    }

    fn add_rest(&mut self, now: Moment) {
        if let Some(since) = self.record.since {
            let rested = now.since(since).as_micros();
            self.record.rested_microseconds += i64::try_from(rested).unwrap_or(i64::MAX);
        }
    }
}

/// Whether everything has failed for days, with another failure lately.
fn is_hopeless(failing_since: Moment, previous_failure_at: Option<Moment>, now: Moment) -> bool {
    let recent = Duration::from_secs(RECENT_FAILURE_SECONDS);
    now.since(failing_since) >= Duration::from_secs(FAILING_SECONDS_TO_OFF)
        && previous_failure_at.is_some_and(|at| now.since(at) <= recent)
}

#[cfg(test)]
mod tests;
