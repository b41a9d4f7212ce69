//! Which lanes this node owns, and what their owner is told.
//!
//! A node has a lease in `nodes`, by the database's clock, and its lanes are its own until that ends. Each change of a lane's owner raises its
//! fence: what an earlier owner reports is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use futures_util::FutureExt;
use store::{
    DueJobs, Fence, Lane, LaneOwner, MailWaker, NoLanes, Outcome, ReadyJob, SecretKey, StoreError,
    Withdrawal,
};

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::open::PostgresStore;
use crate::writing::{Effect, Writing};
use crate::{clock_set, due, record, webhook_out_subs};

mod own;

pub(crate) use self::own::leave;

// primary keys; nobody takes the lane over until this transaction ends
pub(crate) const OWNER: &str = "select case when exists (select 1 from nodes n where n.id = l.node_id and n.lease_until > now()) \
     then l.node_id end as node_id from lanes l where l.webhook_out_sub_id = $1 for share of l";
// primary key
pub(crate) const INSERT: &str =
    "insert into lanes (webhook_out_sub_id, integration_id, node_id, fence) values ($1, $2, $3, 1)";
// primary key
pub(crate) const DELETE: &str = "delete from lanes where webhook_out_sub_id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[&[OWNER, INSERT, DELETE], own::STATEMENTS];

#[async_trait]
impl store::Lanes for PostgresStore {
    async fn own_lanes(
        &self,
        owner: Arc<dyn LaneOwner>,
        now: Moment,
    ) -> Result<Vec<Lane>, StoreError> {
        own::own_lanes(self, owner, now).await
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
        record::record(self, outcomes).await
    }
}

/// The lanes of this node.
pub(crate) struct Lanes {
    /// Held by whoever tells the owner something: what is read of a lane is then told before what is read later.
    turn: tokio::sync::Mutex<()>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// This node, once it owns lanes.
    node: Option<i64>,
    owner: Arc<dyn LaneOwner>,
    owned: HashMap<WebhookOutSubId, Fence>,
    mail_waker: MailWaker,
}

impl Default for Lanes {
    fn default() -> Lanes {
        Lanes {
            turn: tokio::sync::Mutex::default(),
            inner: Mutex::new(Inner {
                node: None,
                owner: Arc::new(NoLanes),
                owned: HashMap::new(),
                mail_waker: Arc::new(|| ()),
            }),
        }
    }
}

impl Lanes {
    /// This node, if it owns lanes.
    pub(crate) fn node(&self) -> Option<i64> {
        self.lock().node
    }

    pub(crate) fn wake_by(&self, waker: MailWaker) {
        self.lock().mail_waker = waker;
    }

    fn owner_of(&self, lane: WebhookOutSubId) -> Option<Arc<dyn LaneOwner>> {
        let inner = self.lock();
        inner.owned.contains_key(&lane).then(|| inner.owner.clone())
    }

    /// Tells the lanes' owner what was committed.
    pub(crate) async fn tell(
        &self,
        connection: &Connection,
        key: &SecretKey,
        effects: Vec<Effect>,
    ) {
        let _turn = self.turn.lock().await;
        let mut ready = Vec::new();
        for effect in effects {
            match effect {
                Effect::Ready(job) => ready.push(job),
                // What is ready was so before the lane changed, and must not be told after it.
                Effect::Changed(lane) => {
                    self.tell_ready(&mut ready);
                    if let Err(fault) = self.tell_changed(connection, key, lane).await {
                        tracing::warn!(?fault, lane = lane.0, "a lane was not told of its change");
                    }
                }
                Effect::Closed(lane) => {
                    self.tell_ready(&mut ready);
                    let owner = self.owner_of(lane);
                    self.lock().owned.remove(&lane);
                    if let Some(owner) = owner {
                        owner.closed(lane);
                    }
                }
                Effect::Mailed => {
                    let waker = self.lock().mail_waker.clone();
                    waker();
                }
            }
        }
        self.tell_ready(&mut ready);
    }

    fn tell_ready(&self, ready: &mut Vec<ReadyJob>) {
        let owner = {
            let inner = self.lock();
            ready.retain(|job| inner.owned.contains_key(&job.webhook_out_sub_id));
            inner.owner.clone()
        };
        if !ready.is_empty() {
            owner.ready(std::mem::take(ready));
        }
    }

    async fn tell_changed(
        &self,
        connection: &Connection,
        key: &SecretKey,
        id: WebhookOutSubId,
    ) -> Result<(), Fault> {
        let Some((lane, node)) = webhook_out_subs::lane(connection, key, id).await? else {
            return Ok(());
        };
        let owner = {
            let mut inner = self.lock();
            if node.is_none() || node != inner.node {
                return Ok(());
            }
            inner.owned.insert(id, lane.fence);
            inner.owner.clone()
        };
        owner.changed(lane);
        Ok(())
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
