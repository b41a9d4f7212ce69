//! A store that keeps jobs in a map: as much of `Lanes` as the engine can see. It knows no ordering, since
//! that is the stores' own business.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::health::LaneHealth;
use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::signature::{SigningSecret, SigningSecrets};
use domain::signing_key::SigningKeys;
use domain::time::{Clock, Moment};
use domain::webhook_id::WebhookId;
use domain::webhook_out_sub::WebhookOutSub;
use store::{
    DueJobs, Fence, Lane, LaneOwner, Lanes, NextStep, NoLanes, Outcome, ReadyJob, StoreError,
    Withdrawal,
};
use tokio::sync::watch;

use crate::clock::ManualTimer;

/// What signs everything here.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub struct Model {
    clock: Arc<ManualTimer>,
    state: Mutex<State>,
    /// Claims read, and then wait while this is so.
    claims_held: watch::Sender<bool>,
}

struct State {
    owner: Arc<dyn LaneOwner>,
    subs: BTreeMap<WebhookOutSubId, WebhookOutSub>,
    /// Those that wait; a final job is gone.
    jobs: BTreeMap<WebhookJobId, ReadyJob>,
    last_id: i64,
    outcomes: Vec<Outcome>,
    batches: Vec<usize>,
    failures: Vec<StoreError>,
    record_failures: usize,
    claims: usize,
    oldest_claims: usize,
    claims_to_fail: usize,
    poison: Option<WebhookJobId>,
    wishes_after_record: bool,
}

impl Model {
    pub fn new(clock: Arc<ManualTimer>, subs: Vec<WebhookOutSub>) -> Arc<Model> {
        let state = State {
            owner: Arc::new(NoLanes),
            subs: subs.into_iter().map(|sub| (sub.id, sub)).collect(),
            jobs: BTreeMap::new(),
            last_id: 0,
            outcomes: Vec::new(),
            batches: Vec::new(),
            failures: Vec::new(),
            record_failures: 0,
            claims: 0,
            oldest_claims: 0,
            claims_to_fail: 0,
            poison: None,
            wishes_after_record: false,
        };
        Arc::new(Model {
            clock,
            state: Mutex::new(state),
            claims_held: watch::Sender::new(false),
        })
    }

    /// Commits jobs of one lane, each for an order of its own, and tells the owner.
    pub fn accept(&self, lane: i64, count: usize) -> Vec<WebhookJobId> {
        self.accept_all(&vec![(lane, Some(1)); count])
    }

    /// Commits jobs without telling anybody, as if they had come before the engine.
    pub fn accept_before(&self, lane: i64, count: usize) {
        for _ in 0..count {
            self.insert(lane, Some(1));
        }
    }

    /// Commits a job that belongs to no order.
    pub fn accept_test(&self, lane: i64) -> WebhookJobId {
        self.accept_all(&[(lane, None)])[0]
    }

    fn accept_all(&self, wanted: &[(i64, Option<i64>)]) -> Vec<WebhookJobId> {
        let jobs = wanted
            .iter()
            .map(|(lane, order)| self.insert(*lane, *order));
        let jobs: Vec<ReadyJob> = jobs.collect();
        let ids = jobs.iter().map(|job| job.id).collect();
        self.owner().ready(jobs);
        ids
    }

    fn insert(&self, lane: i64, order: Option<i64>) -> ReadyJob {
        let now = self.clock.now();
        let mut state = self.state();
        state.last_id += 1;
        let id = state.last_id;
        let job = ReadyJob {
            id: WebhookJobId(id),
            webhook_out_sub_id: WebhookOutSubId(lane),
            order_id: order.map(|_| OrderId(1_000 + id)),
            sequence: order.map(|_| 1),
            webhook_id: WebhookId::from_bytes(u128::try_from(id).expect("ascends").to_be_bytes()),
            attempts: 0,
            job_faults: 0,
            first_attempt_clock: None,
            created_at: now,
            due_at: now,
            payload: Bytes::from(id.to_string()),
            test: order.is_none(),
        };
        state.jobs.insert(job.id, job.clone());
        job
    }

    /// Makes a waiting job due, as people do by hand.
    pub fn retry(&self, id: WebhookJobId) {
        let job = {
            let mut state = self.state();
            let job = state.jobs.get_mut(&id).expect("waits");
            job.due_at = self.clock.now();
            job.clone()
        };
        self.owner().ready(vec![job]);
    }

    /// Cancels a job, if it is not in flight.
    pub fn cancel(&self, id: WebhookJobId) -> Withdrawal {
        let lane = self.state().jobs[&id].webhook_out_sub_id;
        let withdrawal = self.owner().withdraw(lane, id);
        if withdrawal == Withdrawal::Withdrawn {
            self.state().jobs.remove(&id);
        }
        withdrawal
    }

    /// Withdraws a job in a transaction that then fails.
    pub fn cancel_and_fail(&self, id: WebhookJobId) {
        let lane = self.state().jobs[&id].webhook_out_sub_id;
        self.owner().withdraw(lane, id);
    }

    /// Makes the job due by hand between the commit of its next outcome and the recorder's hearing of it.
    pub fn wish_after_record(&self, wishes: bool) {
        self.state().wishes_after_record = wishes;
    }

    /// Fails to record whatever holds an outcome of this job.
    pub fn choke_on(&self, id: WebhookJobId) {
        self.state().poison = Some(id);
    }

    pub fn fail_claims(&self, count: usize) {
        self.state().claims_to_fail = count;
    }

    /// Changes a subscription, and tells the owner.
    pub fn change(&self, lane: i64, change: impl FnOnce(&mut WebhookOutSub)) {
        let lane = {
            let mut state = self.state();
            let sub = state
                .subs
                .get_mut(&WebhookOutSubId(lane))
                .expect("is there");
            change(sub);
            let sub = sub.clone();
            state.lane(&sub)
        };
        self.owner().changed(lane);
    }

    pub fn sub(&self, lane: i64) -> WebhookOutSub {
        self.state().subs[&WebhookOutSubId(lane)].clone()
    }

    /// Lets the next attempts to record fail, one with each of these.
    pub fn fail_records(&self, failures: Vec<StoreError>) {
        self.state().failures = failures;
    }

    pub fn record_failures(&self) -> usize {
        self.state().record_failures
    }

    /// Lets claims read, and keeps what they read until they are let go.
    pub fn hold_claims(&self, held: bool) {
        self.claims_held.send_replace(held);
    }

    pub fn claims(&self) -> usize {
        self.state().claims
    }

    pub fn oldest_claims(&self) -> usize {
        self.state().oldest_claims
    }

    pub fn waiting(&self) -> usize {
        self.state().jobs.len()
    }

    /// When the last of all waiting jobs is due.
    pub fn last_due_at(&self) -> Moment {
        let state = self.state();
        let due = state.jobs.values().map(|job| job.due_at);
        due.max().expect("some wait")
    }

    pub fn job(&self, id: WebhookJobId) -> Option<ReadyJob> {
        self.state().jobs.get(&id).cloned()
    }

    pub fn outcomes(&self) -> Vec<Outcome> {
        self.state().outcomes.clone()
    }

    pub fn outcome_count(&self) -> usize {
        self.state().outcomes.len()
    }

    /// How many outcomes were recorded together, each time.
    pub fn batches(&self) -> Vec<usize> {
        self.state().batches.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics in here")
    }

    fn owner(&self) -> Arc<dyn LaneOwner> {
        self.state().owner.clone()
    }

    async fn gate(&self) {
        let mut held = self.claims_held.subscribe();
        held.wait_for(|held| !held).await.expect("the model stays");
    }
}

impl State {
    fn lane(&self, sub: &WebhookOutSub) -> Lane {
        let current: SigningSecret = SECRET.parse().expect("a secret");
        Lane {
            sub: Arc::new(sub.clone()),
            secrets: Arc::new(SigningSecrets {
                current,
                previous: None,
                keys: SigningKeys::default(),
            }),
            headers: Arc::default(),
            fence: Fence(7),
            next_due_at: self.of_lane(sub.id).map(|job| job.due_at).min(),
        }
    }

    fn of_lane(&self, lane: WebhookOutSubId) -> impl Iterator<Item = &ReadyJob> {
        let jobs = self.jobs.values();
        jobs.filter(move |job| job.webhook_out_sub_id == lane)
    }

    fn apply(&mut self, outcome: &Outcome) -> Option<Lane> {
        self.outcomes.push(outcome.clone());
        match outcome.next {
            NextStep::Delivered | NextStep::Exhausted => {
                self.jobs.remove(&outcome.job_id);
            }
            NextStep::Retry { at, .. } => {
                let job = self.jobs.get_mut(&outcome.job_id).expect("waits");
                job.due_at = at;
                job.attempts = outcome.attempt.number;
                job.job_faults = outcome.job_faults;
                job.first_attempt_clock = Some(outcome.first_attempt_clock);
            }
        }
        let record = outcome.lane.clone()?;
        let sub = self.subs.get_mut(&outcome.webhook_out_sub_id)?;
        sub.health = record;
        if sub.health.is_off() {
            sub.active = false;
            let sub = sub.clone();
            return Some(self.lane(&sub));
        }
        None
    }
}

#[async_trait]
impl Lanes for Model {
    async fn own_lanes(
        &self,
        owner: Arc<dyn LaneOwner>,
        _now: Moment,
    ) -> Result<Vec<Lane>, StoreError> {
        let mut state = self.state();
        state.owner = owner;
        Ok(state.subs.values().map(|sub| state.lane(sub)).collect())
    }

    async fn due_jobs(
        &self,
        lane: WebhookOutSubId,
        now: Moment,
        limit: usize,
    ) -> Result<DueJobs, StoreError> {
        let due = {
            let mut state = self.state();
            state.claims += 1;
            if state.claims_to_fail > 0 {
                state.claims_to_fail -= 1;
                return Err(StoreError::Unavailable("no reader is free".to_owned()));
            }
            let (mut jobs, later): (Vec<&ReadyJob>, Vec<&ReadyJob>) =
                state.of_lane(lane).partition(|job| job.due_at <= now);
            jobs.sort_by_key(|job| (job.due_at, job.id));
            let more = jobs.len() > limit;
            jobs.truncate(limit);
            let next_due_at = later.iter().map(|job| job.due_at).min();
            DueJobs {
                jobs: jobs.into_iter().cloned().collect(),
                more,
                next_due_at: next_due_at.filter(|_| !more),
            }
        };
        self.gate().await;
        Ok(due)
    }

    async fn oldest_job(&self, lane: WebhookOutSubId) -> Result<Option<ReadyJob>, StoreError> {
        let oldest = {
            let mut state = self.state();
            state.oldest_claims += 1;
            state.of_lane(lane).next().cloned()
        };
        self.gate().await;
        Ok(oldest)
    }

    async fn clock_set(&self, microseconds: i64, now: Moment) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.failures.is_empty() {
            return Err(state.failures.remove(0));
        }
        let by = Duration::from_micros(microseconds.min(0).unsigned_abs());
        for job in state.jobs.values_mut().filter(|job| job.due_at > now) {
            job.due_at = now.max(job.due_at - by);
        }
        for sub in state.subs.values_mut() {
            let mut health = LaneHealth::from_record(sub.health.clone());
            health.clock_set(microseconds);
            sub.health = health.record().clone();
        }
        Ok(())
    }

    async fn record(&self, outcomes: Arc<[Outcome]>) -> Result<(), StoreError> {
        let wished = {
            let mut state = self.state();
            let wishes = std::mem::take(&mut state.wishes_after_record);
            wishes.then(|| outcomes[0].job_id)
        };
        let (changed, owner) = {
            let mut state = self.state();
            if outcomes
                .iter()
                .any(|outcome| Some(outcome.job_id) == state.poison)
            {
                return Err(StoreError::Failed("a constraint".to_owned()));
            }
            if !state.failures.is_empty() {
                state.record_failures += 1;
                return Err(state.failures.remove(0));
            }
            state.batches.push(outcomes.len());
            let changed = outcomes.iter().map(|outcome| state.apply(outcome));
            let changed: Vec<Lane> = changed.flatten().collect();
            (changed, state.owner.clone())
        };
        for lane in changed {
            owner.changed(lane);
        }
        if let Some(id) = wished {
            self.retry(id);
        }
        Ok(())
    }
}
