//! Owning lanes: a node takes its share, keeps them by renewing its lease, and takes over what a node leaves that has ended.
//!
//! A node whose lease is over is removed by whoever sees it first, and only then are its lanes free. So either it renews its lease and has
//! lost nothing, or it finds that it is gone: never do two nodes believe that a lane is theirs, but for the time that one is frozen.

use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use deadpool_postgres::Pool;
use domain::id::WebhookOutSubId;
use domain::time::Moment;
use futures_util::FutureExt;
use store::{Lane, LaneOwner, StoreError};

use super::{News, share};
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::open::{PostgresStore, Shared};
use crate::webhook_out_subs;
use crate::writing::Writing;

/// How often in a lease it is renewed, and looked whether another node's has ended: of the usual lease that is seen 4 seconds later at most.
const RENEWALS_PER_LEASE: u32 = 8;
/// The longest time between two renewals, in seconds: what comes with them, such as the pieces that tables are made of, cannot wait for long
/// however long a lease is.
const RENEWAL_SECONDS_MAX: u64 = 10;
/// A node whose lease ended so many leases ago has ended, and was not cut off from the database for a while like all others.
const LEASES_UNTIL_GONE: i64 = 4;
/// A node that has not renewed its lease for such a part of it is late: it was cut off from the database, and others may have been.
const LATE_PART: u32 = 2;

pub(crate) const REGISTER: &str = "insert into nodes (name, lease_until) values ($1, now() + $2::bigint * interval '1 second') returning id";
// primary key; one that is late has its lanes still, or is gone
pub(crate) const RENEW: &str = "update nodes set lease_until = clock_timestamp() + $2::bigint * interval '1 second' where id = $1";
// primary key; what it owned is free at once
pub(crate) const LEAVE: &str = "delete from nodes where id = $1";
// all of them: they are few
pub(crate) const REMOVE_ENDED: &str =
    "delete from nodes where lease_until < clock_timestamp() - $1::bigint * interval '1 second'";
// all of them: they are few
pub(crate) const REMOVE_FORMER: &str = "delete from nodes where name = $1";
// lanes_by_node
pub(crate) const OWNED: &str = "select webhook_out_sub_id from lanes where node_id = $1";
// lanes_by_node, webhook_jobs_due
pub(crate) const DUE: &str = "select webhook_out_sub_id from lanes l where node_id = $1 and exists (select 1 from webhook_jobs_waiting j \
     where j.webhook_out_sub_id = l.webhook_out_sub_id and j.next_attempt_at is not null)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    REGISTER,
    RENEW,
    LEAVE,
    REMOVE_ENDED,
    REMOVE_FORMER,
    OWNED,
    DUE,
];

/// Takes this node's share of the lanes, and keeps them; see [`store::Lanes::own_lanes`].
pub(crate) async fn own_lanes(
    store: &PostgresStore,
    owner: Arc<dyn LaneOwner>,
    now: Moment,
) -> Result<Vec<Lane>, StoreError> {
    webhook_out_subs::cancel_leftovers(store, now).await?;
    let began = Instant::now();
    let node = register(store).await?;
    let lanes = adopt(store, node, owner, began).await?;
    let shared = Arc::downgrade(&store.shared);
    tokio::spawn(keep(store.pool.clone(), shared));
    store.shared.lanes.notices.announce(News::Free);
    Ok(lanes)
}

/// The lanes of the node as they are; from now on the owner is told of all that happens to them.
async fn adopt(
    store: &PostgresStore,
    node: i64,
    owner: Arc<dyn LaneOwner>,
    began: Instant,
) -> Result<Vec<Lane>, Fault> {
    let shared = &store.shared;
    let connection = store.connection().await?;
    let _turn = shared.lanes.turn.lock().await;
    let mut lanes = Vec::new();
    for id in ids(&connection, OWNED, node).await? {
        let lane = webhook_out_subs::lane(&connection, &shared.key, id).await?;
        lanes.extend(lane.map(|(lane, _)| lane));
    }
    let mut inner = shared.lanes.lock();
    inner.node = Some(node);
    inner.owner = owner;
    let fences = lanes.iter().map(|lane| (lane.sub.id, lane.fence));
    inner.owned = fences.collect();
    drop(inner);
    leased(store, began);
    Ok(lanes)
}

/// Counts the lease from before it was asked for.
///
/// A node that was late knows nothing of the others: when the database was away for all of them, they come back one by one, and the leases
/// of some may have ended that will be renewed in a moment. So it removes none of them before it has had its lease for as long as that is.
fn leased(store: &PostgresStore, asked_at: Instant) {
    let lanes = &store.shared.lanes;
    let mut inner = lanes.lock();
    let before = inner.leased_at.replace(asked_at);
    if before.is_none_or(|before| asked_at - before > lanes.lease / LATE_PART) {
        inner.removes_from = Some(asked_at + lanes.lease);
    }
}

/// Removes the nodes whose lease is over; whether there were any.
async fn remove_ended(store: &PostgresStore, connection: &Connection) -> Result<bool, Fault> {
    let removes_from = store.shared.lanes.lock().removes_from;
    let is_early = removes_from.is_some_and(|from| Instant::now() < from);
    Ok(!is_early && connection.execute(REMOVE_ENDED, &[&0_i64]).await? > 0)
}

async fn register(store: &PostgresStore) -> Result<i64, StoreError> {
    let registered = store.write((), |writing, ()| register_node(writing).boxed());
    registered.await.map_err(StoreError::from)
}

async fn register_node(writing: &mut Writing) -> Result<i64, Fault> {
    let connection = &writing.connection;
    let lease = writing.shared.lanes.lease_seconds();
    let long_ago = lease.saturating_mul(LEASES_UNTIL_GONE);
    connection.execute(REMOVE_ENDED, &[&long_ago]).await?;
    let name = writing.shared.lanes.lock().name.clone();
    if let Some(name) = &name {
        connection.execute(REMOVE_FORMER, &[name]).await?;
    }
    let name = name.unwrap_or_else(|| std::process::id().to_string());
    let id = one(connection, REGISTER, &[&name, &lease], |row| {
        Ok(row.try_get(0)?)
    })
    .await;
    let node: i64 = id?.ok_or(Fault::Raced)?;
    share::take(connection, node).await?;
    Ok(node)
}

/// Why a lease is renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occasion {
    /// It is time; it is also looked for what nobody told.
    Regular,
    /// There are lanes to take or to give.
    Balance,
}

fn pause_between_renewals(lease: Duration) -> Duration {
    (lease / RENEWALS_PER_LEASE).min(Duration::from_secs(RENEWAL_SECONDS_MAX))
}

/// Renews the lease for as long as anybody has the store.
async fn keep(pool: Pool, shared: Weak<Shared>) {
    loop {
        let Some((pause, hurry)) = shared.upgrade().map(|shared| {
            let lanes = &shared.lanes;
            (pause_between_renewals(lanes.lease), lanes.hurry.clone())
        }) else {
            return;
        };
        let occasion = tokio::select! {
            () = tokio::time::sleep(pause) => Occasion::Regular,
            () = hurry.notified() => Occasion::Balance,
        };
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let pool = pool.clone();
        let store = PostgresStore { pool, shared };
        let Some(node) = store.shared.lanes.node() else {
            return;
        };
        match renew(&store, node, occasion).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(node, "the lease of this node has ended; it begins anew");
                begin_anew(&store).await;
            }
            Err(error) => {
                tracing::warn!(%error, node, "the lease of this node was not renewed");
            }
        }
    }
}

/// Renews the lease, takes what is free, gives back what is too much, and looks for what nobody told; whether the node is there still.
async fn renew(store: &PostgresStore, node: i64, occasion: Occasion) -> Result<bool, StoreError> {
    let lanes = &store.shared.lanes;
    let connection = store.connection().await?;
    let asked_at = Instant::now();
    let was_late = !lanes.is_leased();
    let lease = lanes.lease_seconds();
    if connection.execute(RENEW, &[&node, &lease]).await? == 0 {
        return Ok(false);
    }
    leased(store, asked_at);
    store.shared.clock.read(&connection).await?;
    if remove_ended(store, &connection).await? {
        lanes.notices.announce(News::Free);
    }
    let taken = share::take(&connection, node).await?;
    share::give_back(store, &connection, node).await?;
    let mut changed: HashSet<WebhookOutSubId> = taken.into_iter().collect();
    if occasion == Occasion::Regular {
        changed.extend(ids(&connection, DUE, node).await?);
    }
    changed.extend(strangers(store, &connection, node).await?);
    if was_late {
        // Whatever did not start meanwhile starts now.
        changed.extend(lanes.lock().owned.keys());
    }
    lanes
        .look_at_all(&connection, &store.shared.key, changed)
        .await;
    crate::partitions::make_ahead(&connection).await?;
    Ok(true)
}

/// Lanes of which the owner knows otherwise than the database.
async fn strangers(
    store: &PostgresStore,
    connection: &Connection,
    node: i64,
) -> Result<Vec<WebhookOutSubId>, Fault> {
    let owned: HashSet<WebhookOutSubId> = ids(connection, OWNED, node).await?.into_iter().collect();
    let inner = store.shared.lanes.lock();
    let known: HashSet<WebhookOutSubId> = inner.owned.keys().copied().collect();
    let strangers = owned.symmetric_difference(&known).copied();
    Ok(strangers.collect())
}

async fn ids(connection: &Connection, sql: &str, node: i64) -> Result<Vec<WebhookOutSubId>, Fault> {
    all(connection, sql, &[&node], |row| {
        Ok(WebhookOutSubId(row.try_get(0)?))
    })
    .await
}

/// The lanes of a node that was removed belong to others: it is another node from now on.
async fn begin_anew(store: &PostgresStore) {
    let lanes = &store.shared.lanes;
    lanes.lock().leased_at = None;
    lanes.close_all().await;
    let owner = lanes.lock().owner.clone();
    let began = Instant::now();
    let begun = async {
        let node = register(store).await?;
        adopt(store, node, owner.clone(), began)
            .await
            .map_err(StoreError::from)
    };
    match begun.await {
        Ok(lanes) => lanes.into_iter().for_each(|lane| owner.changed(lane)),
        Err(error) => tracing::warn!(%error, "the node could not begin anew yet"),
    }
    lanes.notices.announce(News::Free);
}

/// Gives all lanes back at once: the store is being closed.
pub(crate) async fn leave(store: &PostgresStore) -> Result<(), StoreError> {
    let lanes = &store.shared.lanes;
    let node = lanes.lock().node.take();
    let Some(node) = node else {
        return Ok(());
    };
    lanes.lock().leased_at = None;
    let connection = store.connection().await?;
    connection.execute(LEAVE, &[&node]).await?;
    lanes.notices.announce_on(&connection, News::Free).await?;
    Ok(())
}

/// Wakes the task that renews the lease: there may be lanes to take or to give.
pub(super) fn hurry(shared: &Shared) {
    shared.lanes.hurry.notify_one();
}

/// Looks for what was told while nobody listened.
pub(super) async fn look_for_missed(store: &PostgresStore) -> Result<(), Fault> {
    let lanes = &store.shared.lanes;
    let Some(node) = lanes.node() else {
        return Ok(());
    };
    let connection = store.connection().await?;
    let due = ids(&connection, DUE, node).await?;
    lanes.look_at_all(&connection, &store.shared.key, due).await;
    hurry(&store.shared);
    Ok(())
}

/// A time far shorter than a lease, for what is tried again.
pub(super) const PAUSE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_renewed_several_times_in_each_and_never_seldom() {
        let cases = [(3_000, 375), (30_000, 3_750), (3_600_000, 10_000)];
        for (lease, pause) in cases {
            let lease = Duration::from_millis(lease);
            let pause = Duration::from_millis(pause);
            assert_eq!(pause_between_renewals(lease), pause, "{lease:?}");
        }
    }
}
