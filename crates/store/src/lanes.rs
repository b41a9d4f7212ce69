//! Lanes: what the delivery engine takes from the store and gives back.
//!
//! Each subscription has a lane, and each lane has one owner: the engine that alone sends its jobs and
//! keeps its limits. The embedded store gives every lane to its only process; an engine over a network
//! leases them, and [`Fence`] then tells an owner that has lost its lane from the one that has it.
//!
//! The order of jobs is kept here, not in the engine: a job whose predecessor is not final is *held*, and
//! the transaction that makes the predecessor final releases it. The engine may therefore start whatever
//! it is given, at any time, in any order.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::callback_header::CallbackHeader;
use domain::health::LaneRecord;
use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::signature::SigningSecrets;
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_job::WebhookAttempt;
use domain::webhook_out_sub::WebhookOutSub;

use crate::error::StoreError;

/// Which ownership of a lane a result was produced under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub i64);

/// A lane as its owner needs it.
#[derive(Clone)]
pub struct Lane {
    /// The subscription, with the health that its lane had when it was last recorded.
    pub sub: Arc<WebhookOutSub>,
    /// What signs its payloads.
    pub secrets: Arc<SigningSecrets>,
    /// The headers of the subscription with their values.
    pub headers: Arc<[CallbackHeader]>,
    /// Under which ownership.
    pub fence: Fence,
    /// When the first of its waiting jobs that are not held is due.
    pub next_due_at: Option<Moment>,
}

/// A job that may be started.
#[derive(Clone, Debug)]
pub struct ReadyJob {
    /// The job.
    pub id: WebhookJobId,
    /// Its lane.
    pub webhook_out_sub_id: WebhookOutSubId,
    /// The order; none for a test.
    pub order_id: Option<OrderId>,
    /// The stage's place in the order's history; none for a test.
    pub sequence: Option<i64>,
    /// The same on every attempt.
    pub webhook_id: WebhookId,
    /// How many attempts were made.
    pub attempts: u32,
    /// How many of them the receiver refused itself (job faults).
    pub job_faults: u32,
    /// The lane's active clock at the first attempt, in microseconds; see `domain::health`.
    pub first_attempt_clock: Option<i64>,
    /// When the change was accepted.
    pub created_at: Moment,
    /// When it is due.
    pub due_at: Moment,
    /// The bytes to send.
    pub payload: Bytes,
    /// Whether somebody made it to try the subscription out.
    pub test: bool,
}

/// Jobs of a lane that are due.
#[derive(Clone, Debug, Default)]
pub struct DueJobs {
    /// The jobs, those due first first.
    pub jobs: Vec<ReadyJob>,
    /// Whether more are due than were asked for.
    pub more: bool,
    /// When the first of those that are not due yet is; only known where there are no `more`.
    pub next_due_at: Option<Moment>,
}

/// What an attempt leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// It arrived.
    Delivered,
    /// It is attempted again.
    Retry {
        /// When.
        at: Moment,
        /// Whether its successors may pass it from now on.
        passed: bool,
    },
    /// It is given up.
    Exhausted,
}

/// The result of an attempt, to be recorded.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The job.
    pub job_id: WebhookJobId,
    /// Its lane.
    pub webhook_out_sub_id: WebhookOutSubId,
    /// Under which ownership it was attempted.
    pub fence: Fence,
    /// What happened.
    pub attempt: WebhookAttempt,
    /// What follows.
    pub next: NextStep,
    /// How many attempts the receiver refused itself, this one included.
    pub job_faults: u32,
    /// The lane's active clock at the first attempt.
    pub first_attempt_clock: i64,
    /// The lane's health, where this attempt changed it. `off` also switches the subscription off.
    pub lane: Option<LaneRecord>,
}

/// Whether a job could be taken back from its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// The lane will not start it.
    Withdrawn,
    /// It is being sent at this moment.
    InFlight,
}

/// The engine, as the store sees it. Called after the commit that each call tells of, in the order of
/// commits, from the store's own thread: implementations only note and return.
pub trait LaneOwner: Send + Sync {
    /// These jobs may be started: fresh, released, or made due by hand.
    fn ready(&self, jobs: Vec<ReadyJob>);

    /// A lane is new, or its subscription or secret has changed.
    fn changed(&self, lane: Lane);

    /// A lane is gone, with all its jobs, or another process is to have it. It is told as changed should it come back.
    fn closed(&self, id: WebhookOutSubId);

    /// Takes a job back that is about to be canceled. Called inside the transaction; what the lane is
    /// told stands even if that fails, since the store still has the job as due and the next claim of the lane brings it
    /// back.
    fn withdraw(&self, lane: WebhookOutSubId, job: WebhookJobId) -> Withdrawal;

    /// Whether nothing of a closed lane is on its way any more: the last of its outcomes is recorded. A lane that is closed since another
    /// process is to have it is given away only then.
    fn is_spent(&self, _lane: WebhookOutSubId) -> bool {
        true
    }

    /// Tells that the store has a job of the lane that another process made and that may be started; whether the owner looks for it by
    /// itself, as it does for a lane that has more in the store than in memory. If not, it wants the job told.
    fn will_look(&self, _lane: WebhookOutSubId) -> bool {
        false
    }
}

/// Nobody delivers here: the command line's way to open a store.
pub struct NoLanes;

impl LaneOwner for NoLanes {
    fn ready(&self, _jobs: Vec<ReadyJob>) {}
    fn changed(&self, _lane: Lane) {}
    fn closed(&self, _id: WebhookOutSubId) {}
    fn withdraw(&self, _lane: WebhookOutSubId, _job: WebhookJobId) -> Withdrawal {
        Withdrawal::Withdrawn
    }
}

/// Lanes and their jobs.
#[async_trait]
pub trait Lanes {
    /// Takes over all lanes that this process may own, and finishes what a deletion of lanes had left when the
    /// process before ended. From then on `owner` is told of every change.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn own_lanes(
        &self,
        owner: Arc<dyn LaneOwner>,
        now: Moment,
    ) -> Result<Vec<Lane>, StoreError>;

    /// Whether what this process owns is its own still, as far as its clock tells. Asked before each start: a process that was frozen for
    /// longer than its lease starts nothing before the store has asked who owns its lanes now, and told their owner.
    fn may_start(&self) -> bool {
        true
    }

    /// Up to `limit` jobs of a lane that are due at `now` and not held, those due first first.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn due_jobs(
        &self,
        lane: WebhookOutSubId,
        now: Moment,
        limit: usize,
    ) -> Result<DueJobs, StoreError>;

    /// The oldest waiting job of a lane, due or not: the one that probes while the lane rests.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn oldest_job(&self, lane: WebhookOutSubId) -> Result<Option<ReadyJob>, StoreError>;

    /// The wall clock was set to `now`, by so many microseconds (back, where they are negative). Set back, what waits for a
    /// moment after that is due as much earlier, so that nothing waits for longer than it was to. In both directions, what
    /// is kept of the lanes' health is as old as before. The lanes are not told; they ask again.
    ///
    /// # Errors
    /// When nothing was changed.
    async fn clock_set(&self, microseconds: i64, now: Moment) -> Result<(), StoreError>;

    /// Records outcomes in one transaction: the attempts, the jobs' states, the release of those that
    /// they held, and the lanes' health. Outcomes of a lost lane, and of jobs that are final already, are
    /// passed over; but one that was canceled or superseded in flight is delivered if the receiver took it.
    ///
    /// # Errors
    /// When nothing was recorded; the caller has kept the outcomes and tries again.
    async fn record(&self, outcomes: Arc<[Outcome]>) -> Result<(), StoreError>;
}
