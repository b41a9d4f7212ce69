//! Recording outcomes in the model store.

use std::sync::Arc;
use std::time::Duration;

use domain::health::LaneRecord;
use domain::id::WebhookOutSubId;
use domain::time::Moment;
use store::{NextStep, Outcome};

use super::model::{Job, State};
use super::mutation::Mutation;
use super::transaction::Transaction;

impl Transaction {
    pub(super) fn record(&mut self, outcome: &Outcome) {
        let is_stale = outcome.fence.0 != self.draft.fence;
        if is_stale && !self.is(Mutation::IgnoresFence) {
            return;
        }
        if let Some(lane) = &outcome.lane {
            self.record_lane(outcome.webhook_out_sub_id, lane);
        }
        let Some(before) = self.draft.job(outcome.job_id).copied() else {
            return;
        };
        let Some(after) = self.settled(&before, outcome) else {
            return;
        };
        if let Some(job) = self.draft.job_mut(outcome.job_id) {
            *job = after;
        }
        let is_final = after.state.is_final() && !self.is(Mutation::NeverReleases);
        let is_passed = after.passed && !before.passed;
        let is_early = self.is(Mutation::ReleasesEarly);
        if before.ordered && (is_final || is_passed || is_early) {
            self.release_next(before.sub, before.order, ended_at(outcome));
        }
    }

    /// The job after the attempt; nothing where it is final already. What the receiver took is delivered,
    /// whatever people wanted meanwhile.
    fn settled(&self, job: &Job, outcome: &Outcome) -> Option<Job> {
        let is_delivered = outcome.next == NextStep::Delivered;
        let may_change = match job.state {
            State::Pending | State::Retrying => true,
            State::Canceled | State::Superseded => is_delivered,
            State::Delivered | State::Exhausted => false,
        };
        if !may_change {
            return None;
        }
        let mut after = Job {
            attempts: outcome.attempt.number,
            job_faults: outcome.job_faults,
            first_attempt_clock: Some(outcome.first_attempt_clock),
            next_attempt_at: None,
            ..*job
        };
        after.state = match outcome.next {
            NextStep::Delivered => State::Delivered,
            _ if job.cancel_requested => State::Canceled,
            NextStep::Exhausted => State::Exhausted,
            NextStep::Retry { at, passed } => {
                let is_early = self.is(Mutation::PassesEarly) && outcome.job_faults == 2;
                let hasten = if self.is(Mutation::HastensRetries) {
                    2
                } else {
                    0
                };
                after.next_attempt_at = Some(at - Duration::from_secs(hasten));
                after.passed = job.passed || passed || is_early;
                State::Retrying
            }
        };
        Some(after)
    }

    /// Keeps a lane's health; one that is off switches its subscription off.
    fn record_lane(&mut self, id: WebhookOutSubId, lane: &LaneRecord) {
        let Some(known) = self.draft.subs.get_mut(&id) else {
            return;
        };
        // What was in flight when somebody switched it off has no say in that any more.
        if !known.sub.active || known.is_deleted {
            return;
        }
        let mut sub = (*known.sub).clone();
        sub.health = lane.clone();
        sub.active = !lane.is_off();
        known.sub = Arc::new(sub);
        if lane.is_off() {
            self.changed(id);
        }
    }
}

/// When the attempt was over.
fn ended_at(outcome: &Outcome) -> Moment {
    outcome.attempt.started_at + Duration::from_micros(outcome.attempt.timing.total)
}
