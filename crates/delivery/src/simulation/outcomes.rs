//! What must hold of outcomes and commits.

use std::collections::HashSet;
use std::time::Duration;

use domain::retry::RetryPolicy;
use domain::time::Moment;
use store::{NextStep, Outcome};

use super::ledger::{Checked, Ledger};
use super::model::{Job, State, Store};
use super::receiver::Reply;
use super::transaction::Transaction;
use super::work::Work;
use super::world::Attempt;
use crate::lane::Start;

impl Ledger {
    /// An attempt has ended, and this is what the engine wants recorded.
    pub(super) fn ended(
        &mut self,
        start: &Start,
        reply: Reply,
        outcome: &Outcome,
        now: Moment,
    ) -> Checked {
        let id = start.job.id;
        let tried_for = self.tried_for(start, now);
        if let Some(shadow) = self.shadows.get_mut(&start.sub.id) {
            shadow.ended(reply, start.job.order_id, now);
        }
        let default = RetryPolicy::default();
        let policy = start.sub.retry_policy.as_ref().unwrap_or(&default);
        match outcome.next {
            _ if reply.is_success() != (outcome.next == NextStep::Delivered) => {
                return Err(format!("{reply:?} leads to {:?}", outcome.next));
            }
            NextStep::Delivered => {
                self.succeeded.insert(id);
            }
            NextStep::Exhausted => {
                if tried_for.is_some_and(|tried_for| tried_for < policy.give_up_after()) {
                    return Err(format!("job {id} is given up after {tried_for:?}"));
                }
                self.given_up.insert(id);
            }
            NextStep::Retry { .. }
                if tried_for.is_some_and(|tried_for| tried_for >= policy.give_up_after()) =>
            {
                return Err(format!("job {id} is not given up after {tried_for:?}"));
            }
            NextStep::Retry { at, passed } => {
                let index = usize::try_from(start.job.attempts).unwrap_or(usize::MAX);
                let schedule = policy.schedule();
                let step = schedule[index.min(schedule.len() - 1)];
                let asked = reply.retry_after().unwrap_or_default();
                let (from, until) = (step.mul_f64(0.9).max(asked), step.mul_f64(1.1).max(asked));
                if at < now + from || at > now + until {
                    return Err(format!("job {id} after {reply:?} is tried again at {at}"));
                }
                let refusals = self.refusals.get(&id).map_or(0, HashSet::len);
                if passed != (refusals + usize::from(reply.is_refusal()) >= 3) {
                    return Err(format!(
                        "job {id} after {refusals} refusals: passed {passed}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// How long a job has been tried, without the rests of its lane, where that is known.
    fn tried_for(&self, start: &Start, now: Moment) -> Option<Duration> {
        let (first_sent_at, rested_before) = self.first_sent.get(&start.job.id)?;
        let shadow = self.shadows.get(&start.sub.id)?;
        let is_known = shadow.is_rest_known && !self.was_set_back;
        is_known.then(|| now.since(*first_sent_at) - (shadow.rested - *rested_before))
    }

    /// A transaction is about to be committed.
    pub(super) fn committed(
        &mut self,
        store: &Store,
        transaction: &Transaction,
        in_flight: &[Attempt],
    ) -> Checked {
        let draft = &transaction.draft;
        self.jobs = draft.jobs.len();
        for work in &transaction.done {
            self.note(work, draft);
        }
        for (before, after) in store.jobs.iter().zip(&draft.jobs) {
            let is_in_flight = in_flight.iter().any(|other| other.start.job.id == after.id);
            if before.state != after.state {
                self.check_end(after, is_in_flight, draft)?;
            }
        }
        draft.check()
    }

    fn note(&mut self, work: &Work, draft: &Store) {
        match work {
            Work::Record(outcomes) => {
                let ours = outcomes.iter().filter(|one| one.fence.0 == draft.fence);
                for outcome in ours {
                    let id = outcome.job_id;
                    if matches!(outcome.attempt.status_code, Some(400 | 422)) {
                        let refusals = self.refusals.entry(id).or_default();
                        refusals.insert(outcome.attempt.number);
                    }
                    if let NextStep::Retry { at, .. } = outcome.next {
                        self.not_before.insert(id, at);
                    }
                }
            }
            Work::Retry(id, at) => {
                let due_at = draft.job(*id).and_then(|job| job.next_attempt_at);
                if due_at.is_some_and(|due_at| due_at <= *at) {
                    self.not_before.remove(id);
                }
            }
            _ => {}
        }
    }

    /// Whether a job may end so.
    fn check_end(&self, job: &Job, is_in_flight: bool, draft: &Store) -> Checked {
        let is_deleted = draft.subs.get(&job.sub).is_none_or(|sub| sub.is_deleted);
        let is_right = match job.state {
            State::Pending => false,
            State::Retrying => !is_in_flight,
            State::Delivered => self.succeeded.contains(&job.id),
            State::Exhausted => self.given_up.contains(&job.id),
            State::Canceled => !is_in_flight || is_deleted,
            State::Superseded => {
                let newer = draft
                    .jobs
                    .iter()
                    .rev()
                    .take_while(|other| other.id > job.id);
                let mut newer = newer.filter(|other| other.sub == job.sub && other.ordered);
                !is_in_flight && newer.any(|other| other.order == job.order)
            }
        };
        if is_right {
            Ok(())
        } else {
            Err(format!("job {} ended wrongly as {:?}", job.id, job.state))
        }
    }
}
