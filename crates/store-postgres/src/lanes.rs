//! Which lanes this node owns, and for how long.
//!
//! A node has a lease in `nodes`, by the database's clock, and its lanes are its own until somebody has seen that end and removed the node.
//! Each change of a lane's owner raises its fence: what an earlier owner reports is refused. A node counts its lease by its own clock
//! too, from before it asked for it: one that was frozen, or cut off, starts nothing until it has it renewed.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use futures_util::FutureExt;
use store::{
    DueJobs, Fence, Lane, LaneOwner, MailWaker, NoLanes, Outcome, ReadyJob, StoreError, Withdrawal,
};
use tokio::sync::Notify;

use crate::connection::Params;
use crate::fault::Fault;
use crate::list_query::one;
use crate::open::PostgresStore;
use crate::writing::Writing;
use crate::{clock_set, due, record};

mod hand_over;
mod own;
mod share;
mod tell;

pub(crate) use self::hand_over::{News, Notices, start};
pub(crate) use self::own::leave;

/// What a node's clock may lose against the database's in a lease, as a part of it.
const LEASE_MARGIN_PART: u32 = 20;

// primary keys; nobody takes the lane over until this transaction ends
pub(crate) const OWNER: &str = "select case when exists (select 1 from nodes n where n.id = l.node_id) \
     then l.node_id end as node_id from lanes l where l.webhook_out_sub_id = $1 for share of l";
// primary key
pub(crate) const INSERT: &str =
    "insert into lanes (webhook_out_sub_id, integration_id, node_id, fence) values ($1, $2, $3, 1)";
// primary key
pub(crate) const DELETE: &str = "delete from lanes where webhook_out_sub_id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[OWNER, INSERT, DELETE],
    hand_over::STATEMENTS,
    own::STATEMENTS,
    share::STATEMENTS,
];

#[async_trait]
impl store::Lanes for PostgresStore {
    async fn own_lanes(
        &self,
        owner: Arc<dyn LaneOwner>,
        now: Moment,
    ) -> Result<Vec<Lane>, StoreError> {
        own::own_lanes(self, owner, now).await
    }

    fn may_start(&self) -> bool {
        self.shared.lanes.is_leased()
    }

    async fn due_jobs(
        &self,
        lane: WebhookOutSubId,
        now: Moment,
        limit: usize,
    ) -> Result<DueJobs, StoreError> {
        let connection = self.connection().await?;
        Ok(due::due_jobs(&connection, lane, now, limit).await?)
    }

    async fn oldest_job(&self, lane: WebhookOutSubId) -> Result<Option<ReadyJob>, StoreError> {
        let connection = self.connection().await?;
        Ok(due::oldest_job(&connection, lane).await?)
    }

    async fn clock_set(&self, microseconds: i64, now: Moment) -> Result<(), StoreError> {
        let set = self.write((microseconds, now), |writing, (microseconds, now)| {
            clock_set::set(writing, *microseconds, *now).boxed()
        });
        set.await.map_err(StoreError::from)
    }

    async fn record(&self, outcomes: Arc<[Outcome]>) -> Result<(), StoreError> {
        record::record(self, outcomes).await?;
        // What was read before this commit is told before the engine forgets these jobs: none of them starts again.
        drop(self.shared.lanes.turn.lock().await);
        Ok(())
    }
}

/// The lanes of this node.
pub(crate) struct Lanes {
    /// Held by whoever tells the owner something: what is read of a lane is then told before what is read later.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Wakes the task that renews the lease: lanes are free, or a node has come.
    hurry: Arc<Notify>,
    lease: Duration,
    notices: Notices,
    inner: Mutex<Inner>,
}

struct Inner {
    /// This node, once it owns lanes.
    node: Option<i64>,
    /// What it is called, if anything that is its own.
    name: Option<String>,
    /// When the lease was asked for that this node has, by its own clock.
    leased_at: Option<Instant>,
    /// From when on this node removes those whose lease is over.
    removes_from: Option<Instant>,
    owner: Arc<dyn LaneOwner>,
    owned: HashMap<WebhookOutSubId, Fence>,
    /// Lanes that are closed here, and still this node's until the last of their attempts is recorded.
    leaving: HashSet<WebhookOutSubId>,
    mail_waker: MailWaker,
}

impl Lanes {
    pub(crate) fn new(lease: Duration, notices: Notices) -> Lanes {
        Lanes {
            turn: tokio::sync::Mutex::default(),
            hurry: Arc::default(),
            lease,
            notices,
            inner: Mutex::new(Inner {
                node: None,
                name: None,
                leased_at: None,
                removes_from: None,
                owner: Arc::new(NoLanes),
                owned: HashMap::new(),
                leaving: HashSet::new(),
                mail_waker: Arc::new(|| ()),
            }),
        }
    }

    /// This node, if it owns lanes.
    pub(crate) fn node(&self) -> Option<i64> {
        self.lock().node
    }

    pub(crate) fn be_called(&self, name: String) {
        self.lock().name = Some(name);
    }

    pub(crate) fn wake_by(&self, waker: MailWaker) {
        self.lock().mail_waker = waker;
    }

    /// Whether nobody can have taken this node's lanes yet.
    fn is_leased(&self) -> bool {
        let lease = self.lease - self.lease / LEASE_MARGIN_PART;
        let leased_at = self.lock().leased_at;
        leased_at.is_some_and(|at| at.elapsed() < lease)
    }

    /// The lease in whole seconds, as the database is told of it; at least one.
    fn lease_seconds(&self) -> i64 {
        i64::try_from(self.lease.as_secs())
            .unwrap_or(i64::MAX)
            .max(1)
    }

    fn owner_of(&self, lane: WebhookOutSubId) -> Option<Arc<dyn LaneOwner>> {
        let inner = self.lock();
        inner.owned.contains_key(&lane).then(|| inner.owner.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // What is kept is whole whenever the lock is free.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writing {
    /// Takes a job back that is about to be canceled or replaced. One of another node counts as in flight: only that node knows.
    pub(crate) async fn withdraw(
        &mut self,
        lane: WebhookOutSubId,
        job: WebhookJobId,
    ) -> Result<Withdrawal, Fault> {
        let node = one(&self.connection, OWNER, &[&lane.0], |row| {
            Ok(row.try_get::<_, Option<i64>>("node_id")?)
        })
        .await;
        let withdrawal = match node?.flatten() {
            None => Withdrawal::Withdrawn,
            Some(_) => match self.shared.lanes.owner_of(lane) {
                Some(owner) => owner.withdraw(lane, job),
                None => Withdrawal::InFlight,
            },
        };
        if withdrawal == Withdrawal::Withdrawn {
            self.withdrawn(job);
        }
        Ok(withdrawal)
    }

    /// Makes the lane of a new subscription, owned by this node if it owns any.
    pub(crate) async fn open_lane(
        &mut self,
        lane: WebhookOutSubId,
        integration: domain::id::IntegrationId,
    ) -> Result<(), Fault> {
        let node = self.shared.lanes.node();
        let params: Params = &[&lane.0, &integration.0, &node];
        self.connection.execute(INSERT, params).await?;
        self.changed(lane);
        Ok(())
    }
}
