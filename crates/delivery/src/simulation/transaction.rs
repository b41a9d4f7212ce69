//! A transaction of the model store: pieces of work on a draft, and what the lanes are told after the commit.
//!
//! Follows `store-sqlite` in what is done, in which order, and when the lanes are asked.

use std::sync::Arc;

use domain::health::LaneHealth;
use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, WebhookOutSub};
use store::{Lane, ReadyJob, Withdrawal};

use super::model::{Job, State, Store, Sub};
use super::mutation::Mutation;
use super::work::{Change, Policies, Work};
use crate::fixtures::sub;

/// What the lanes are told after the commit.
pub(super) enum Effect {
    Ready(ReadyJob),
    Changed(Lane),
    Closed(WebhookOutSubId),
}

pub(super) struct Transaction {
    pub(super) draft: Store,
    pub(super) done: Vec<Work>,
    pub(super) mutation: Option<Mutation>,
    pub(super) effects: Vec<Effect>,
    withdrawn: Vec<WebhookJobId>,
}

/// Asks a lane to give a job back.
pub(super) type Withdraw<'a> = dyn FnMut(WebhookOutSubId, WebhookJobId) -> Withdrawal + 'a;

impl Transaction {
    pub(super) fn begin(store: &Store, mutation: Option<Mutation>) -> Transaction {
        Transaction {
            draft: store.clone(),
            done: Vec::new(),
            mutation,
            effects: Vec::new(),
            withdrawn: Vec::new(),
        }
    }

    /// Does a piece of work; what is refused changes nothing.
    pub(super) fn run(&mut self, work: Work, withdraw: &mut Withdraw<'_>) {
        self.draft.works += 1;
        match &work {
            Work::Create(policies) => self.create(policies),
            Work::Accept { order, is_big, at } => self.accept(*order, *is_big, *at, withdraw),
            Work::Cancel(job, at) => self.cancel(*job, *at, withdraw),
            Work::Retry(job, at) => self.retry(*job, *at),
            Work::SendTest(sub, at) => self.send_test(*sub, *at),
            Work::Update(sub, change, at) => self.update(*sub, change, *at),
            Work::Delete(sub) => self.delete(*sub),
            Work::CancelLeftovers => self.draft.cancel_leftovers(),
            Work::Record(outcomes) => outcomes.iter().for_each(|outcome| self.record(outcome)),
        }
        self.done.push(work);
    }

    /// What the lanes are told, in order; not of jobs that became final in this very transaction.
    pub(super) fn told(&mut self) -> Vec<Effect> {
        let withdrawn = std::mem::take(&mut self.withdrawn);
        let mut effects = std::mem::take(&mut self.effects);
        effects
            .retain(|effect| !matches!(effect, Effect::Ready(job) if withdrawn.contains(&job.id)));
        effects
    }

    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn create(&mut self, policies: &Policies) {
        let id = i64::try_from(self.draft.subs.len()).unwrap_or(i64::MAX) + 1;
        let new = Sub {
            sub: Arc::new(policies.applied(sub(id))),
            is_deleted: false,
            orderings: vec![(self.draft.works, policies.ordering)],
        };
        self.draft.subs.insert(WebhookOutSubId(id), new);
        self.changed(WebhookOutSubId(id));
    }

    fn accept(&mut self, order: OrderId, is_big: bool, at: Moment, withdraw: &mut Withdraw<'_>) {
        let sequence = self.draft.sequences.entry(order).or_insert(0);
        *sequence += 1;
        let sequence = *sequence;
        let subs = self.draft.subs.values();
        let subscribers: Vec<Arc<WebhookOutSub>> = subs
            .filter(|sub| sub.sub.active && !sub.is_deleted)
            .map(|sub| sub.sub.clone())
            .collect();
        for subscriber in subscribers {
            let sub = subscriber.id;
            if subscriber.supersede && sequence > 1 {
                self.supersede(sub, order, at, withdraw);
            }
            let id = self.next_id();
            let is_held = self.draft.holder(sub, Some(order), id).is_some();
            self.draft.jobs.push(Job {
                order: Some(order),
                sequence: Some(sequence),
                ordered: true,
                next_attempt_at: (!is_held).then_some(at),
                is_big,
                ..self.blank(id, sub, at)
            });
            if !is_held {
                self.ready(id);
            }
        }
    }

    /// Ends what waits of an order and is not in flight.
    fn supersede(
        &mut self,
        sub: WebhookOutSubId,
        order: OrderId,
        at: Moment,
        withdraw: &mut Withdraw<'_>,
    ) {
        let waiting = self.draft.waiting(sub);
        let waiting: Vec<WebhookJobId> = waiting
            .filter(|job| job.order == Some(order) && job.ordered)
            .map(|job| job.id)
            .collect();
        let mut has_replaced = false;
        for id in waiting {
            let withdrawal = withdraw(sub, id);
            if withdrawal == Withdrawal::InFlight && !self.is(Mutation::SupersedesInFlight) {
                continue;
            }
            self.withdrawn.push(id);
            self.end(id, State::Superseded);
            has_replaced = true;
        }
        if has_replaced && self.draft.ordering(sub) == Ordering::Subscription {
            self.release_next(sub, Some(order), at);
        }
    }

    fn cancel(&mut self, id: WebhookJobId, at: Moment, withdraw: &mut Withdraw<'_>) {
        let Some(job) = self.waiting(id) else { return };
        let withdrawal = if self.is(Mutation::CancelsUnasked) {
            Withdrawal::Withdrawn
        } else {
            withdraw(job.sub, id)
        };
        if withdrawal == Withdrawal::InFlight {
            if let Some(job) = self.draft.job_mut(id) {
                job.cancel_requested = true;
            }
            return;
        }
        self.end(id, State::Canceled);
        if job.ordered && !self.is(Mutation::CancelsWithoutRelease) {
            self.release_next(job.sub, job.order, at);
        }
    }

    /// Makes a waiting job due now, unless it is held; repeats a final one outside the ordering.
    fn retry(&mut self, id: WebhookJobId, at: Moment) {
        let Some(job) = self.draft.job(id).copied() else {
            return;
        };
        let sub = self.draft.subs.get(&job.sub);
        if sub.is_none_or(|sub| sub.is_deleted || !sub.sub.active) {
            return;
        }
        if !job.state.is_final() {
            if let Some(known) = self.draft.job_mut(id) {
                known.next_attempt_at = known.next_attempt_at.map(|due| due.min(at));
            }
            if job.next_attempt_at.is_some() {
                self.ready(id);
            }
            return;
        }
        let repeated = self.next_id();
        self.draft.jobs.push(Job {
            order: job.order,
            sequence: job.sequence,
            is_big: job.is_big,
            ..self.blank(repeated, job.sub, at)
        });
        self.ready(repeated);
    }

    fn send_test(&mut self, id: WebhookOutSubId, at: Moment) {
        let sub = self.draft.subs.get(&id);
        if sub.is_some_and(|sub| !sub.is_deleted && sub.sub.active) {
            let test = self.next_id();
            self.draft.jobs.push(self.blank(test, id, at));
            self.ready(test);
        }
    }

    fn update(&mut self, id: WebhookOutSubId, change: &Change, at: Moment) {
        let works = self.draft.works;
        let Some(known) = self.draft.subs.get_mut(&id).filter(|sub| !sub.is_deleted) else {
            return;
        };
        let before = known.sub.clone();
        let mut after = (*before).clone();
        match change {
            Change::Active(active) => after.active = *active,
            Change::Ordering(ordering) => after.ordering = *ordering,
            Change::Policies(policies) => after = policies.applied(after),
        }
        let is_switched = after.active != before.active || (after.active && before.health.is_off());
        if is_switched {
            let mut health = LaneHealth::from_record(after.health.clone());
            if after.active {
                health.switched_on(at);
            } else {
                health.switched_off_by_hand(at);
            }
            after.health = health.record().clone();
        }
        let is_reordered = after.ordering != before.ordering;
        if is_reordered {
            known.orderings.push((works, after.ordering));
        }
        known.sub = Arc::new(after);
        if is_reordered {
            self.release_all_free(id, at);
        }
        if !(is_switched && self.is(Mutation::SwitchesUntold)) {
            self.changed(id);
        }
    }

    fn delete(&mut self, id: WebhookOutSubId) {
        if let Some(known) = self.draft.subs.get_mut(&id).filter(|sub| !sub.is_deleted) {
            known.is_deleted = true;
            if !self.is(Mutation::DeletesUntold) {
                self.effects.push(Effect::Closed(id));
            }
        }
    }

    pub(super) fn changed(&mut self, id: WebhookOutSubId) {
        self.effects
            .extend(self.draft.lane(id).map(Effect::Changed));
    }

    pub(super) fn end(&mut self, id: WebhookJobId, state: State) {
        if let Some(job) = self.draft.job_mut(id) {
            job.state = state;
            job.next_attempt_at = None;
        }
    }

    pub(super) fn ready(&mut self, id: WebhookJobId) {
        let job = self.draft.job(id).map(Job::ready);
        self.effects.extend(job.map(Effect::Ready));
    }

    fn waiting(&self, id: WebhookJobId) -> Option<Job> {
        let job = self.draft.job(id).copied()?;
        (!job.state.is_final()).then_some(job)
    }

    fn next_id(&self) -> WebhookJobId {
        WebhookJobId(i64::try_from(self.draft.jobs.len()).unwrap_or(i64::MAX) + 1)
    }

    /// A job outside the ordering, due now.
    fn blank(&self, id: WebhookJobId, sub: WebhookOutSubId, at: Moment) -> Job {
        Job {
            id,
            sub,
            order: None,
            sequence: None,
            state: State::Pending,
            ordered: false,
            passed: false,
            cancel_requested: false,
            attempts: 0,
            job_faults: 0,
            first_attempt_clock: None,
            next_attempt_at: Some(at),
            created_at: at,
            made_by: self.draft.works,
            is_big: false,
        }
    }
}
