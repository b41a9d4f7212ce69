//! Owning lanes: a node takes its share, keeps them by renewing its lease, and takes over what a node leaves that has ended.

use std::sync::{Arc, Weak};
use std::time::Duration;

use deadpool_postgres::Pool;
use domain::id::WebhookOutSubId;
use domain::time::Moment;
use futures_util::FutureExt;
use store::{Lane, LaneOwner, StoreError};
use tokio::time::Instant;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::open::{PostgresStore, Shared};
use crate::webhook_out_subs;
use crate::writing::Writing;

/// How long a node has its lanes without a word from it, in seconds: longer than a database takes to start again.
const LEASE_SECONDS: u64 = 30;
/// How often a node renews its lease and looks for lanes, in seconds: it may miss two times.
const RENEW_SECONDS: u64 = LEASE_SECONDS / 3;

pub(crate) const REGISTER: &str = "insert into nodes (name, lease_until) values ($1, now() + $2::bigint * interval '1 second') returning id";
// primary key
pub(crate) const RENEW: &str = "update nodes set lease_until = now() + $2::bigint * interval '1 second' where id = $1 and lease_until > now()";
// primary key; what it owned is free at once
pub(crate) const LEAVE: &str = "delete from nodes where id = $1";
// all of them: they are few
pub(crate) const FORGET: &str = "delete from nodes where lease_until < now() - interval '1 day'";
// all of them: they are few
pub(crate) const SHARE: &str = "select (count(*) + n.live - 1) / n.live as lanes from lanes, \
     (select greatest(count(*), 1) as live from nodes where lease_until > now()) n group by n.live";
// lanes_by_node
pub(crate) const COUNT: &str = "select count(*) from lanes where node_id = $1";
// primary keys; those that another node takes at this moment are left to it
pub(crate) const TAKE: &str = "update lanes set node_id = $1, fence = fence + 1 where webhook_out_sub_id in \
     (select webhook_out_sub_id from lanes l where node_id is distinct from $1 and not exists (select 1 from nodes n \
     where n.id = l.node_id and n.lease_until > now()) order by webhook_out_sub_id limit $2 for update skip locked) \
     returning webhook_out_sub_id";
// lanes_by_node, webhook_jobs_waiting_by_subscriber; those with nothing to send
pub(crate) const GIVE_BACK: &str = "update lanes set node_id = null where webhook_out_sub_id in (select webhook_out_sub_id from lanes l \
     where node_id = $1 and not exists (select 1 from webhook_jobs_waiting j where j.webhook_out_sub_id = l.webhook_out_sub_id) \
     order by webhook_out_sub_id desc limit $2 for update) returning webhook_out_sub_id";
// lanes_by_node, webhook_jobs_due
pub(crate) const DUE: &str = "select webhook_out_sub_id from lanes l where node_id = $1 and exists (select 1 from webhook_jobs_waiting j \
     where j.webhook_out_sub_id = l.webhook_out_sub_id and j.next_attempt_at is not null)";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[
    REGISTER, RENEW, LEAVE, FORGET, SHARE, COUNT, TAKE, GIVE_BACK, DUE,
];

/// Takes this node's share of the lanes, and keeps them; see [`store::Lanes::own_lanes`].
pub(crate) async fn own_lanes(
    store: &PostgresStore,
    owner: Arc<dyn LaneOwner>,
    now: Moment,
) -> Result<Vec<Lane>, StoreError> {
    webhook_out_subs::cancel_leftovers(store, now).await?;
    let _turn = store.shared.lanes.turn.lock().await;
    let began = Instant::now();
    let (node, lanes) = register(store).await?;
    {
        let mut inner = store.shared.lanes.lock();
        inner.node = Some(node);
        inner.owner = owner;
        let fences = lanes.iter().map(|lane| (lane.sub.id, lane.fence));
        inner.owned = fences.collect();
    }
    let shared = Arc::downgrade(&store.shared);
    tokio::spawn(keep(store.pool.clone(), shared, began));
    Ok(lanes)
}

async fn register(store: &PostgresStore) -> Result<(i64, Vec<Lane>), StoreError> {
    let registered = store.write((), |writing, ()| register_node(writing).boxed());
    registered.await.map_err(StoreError::from)
}

async fn register_node(writing: &mut Writing) -> Result<(i64, Vec<Lane>), Fault> {
    let connection = &writing.connection;
    connection.execute(FORGET, &[]).await?;
    let name = format!("{}", std::process::id());
    let lease = i64::try_from(LEASE_SECONDS).unwrap_or(i64::MAX);
    let id = one(connection, REGISTER, &[&name, &lease], |row| {
        Ok(row.try_get(0)?)
    })
    .await;
    let node: i64 = id?.ok_or(Fault::Raced)?;
    let mut lanes = Vec::new();
    for id in take(connection, node).await? {
        let lane = webhook_out_subs::lane(connection, writing.key(), id).await?;
        lanes.extend(lane.map(|(lane, _)| lane));
    }
    Ok((node, lanes))
}

/// Takes lanes that nobody has, up to the node's share.
async fn take(connection: &Connection, node: i64) -> Result<Vec<WebhookOutSubId>, Fault> {
    let surplus = surplus(connection, node).await?;
    if surplus >= 0 {
        return Ok(Vec::new());
    }
    let params: Params = &[&node, &surplus.saturating_neg()];
    all(connection, TAKE, params, |row| {
        Ok(WebhookOutSubId(row.try_get(0)?))
    })
    .await
}

/// How many lanes the node has beyond its share; less than none where it has fewer.
async fn surplus(connection: &Connection, node: i64) -> Result<i64, Fault> {
    let share = one(connection, SHARE, &[], |row| Ok(row.try_get(0)?)).await?;
    let owned = one(connection, COUNT, &[&node], |row| Ok(row.try_get(0)?)).await?;
    Ok(owned.unwrap_or(0_i64) - share.unwrap_or(0_i64))
}

/// Renews the lease for as long as anybody has the store.
async fn keep(pool: Pool, shared: Weak<Shared>, mut renewed: Instant) {
    loop {
        tokio::time::sleep(Duration::from_secs(RENEW_SECONDS)).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let store = PostgresStore {
            pool: pool.clone(),
            shared,
        };
        let Some(node) = store.shared.lanes.node() else {
            return;
        };
        let began = Instant::now();
        match renew(&store, node).await {
            Ok(true) => renewed = began,
            Ok(false) => {
                tracing::warn!(node, "the lease of this node has ended; it begins anew");
                begin_anew(&store, node).await;
                renewed = began;
            }
            Err(error) => {
                tracing::warn!(%error, node, "the lease of this node was not renewed");
                // Others may have its lanes by now.
                if renewed.elapsed() >= Duration::from_secs(LEASE_SECONDS) {
                    close_all(&store).await;
                }
            }
        }
    }
}

/// Renews the lease, takes what is free, gives back what is too much, and looks for what nobody told; whether it was still good.
async fn renew(store: &PostgresStore, node: i64) -> Result<bool, StoreError> {
    let connection = store.connection().await?;
    let lease = i64::try_from(LEASE_SECONDS).unwrap_or(i64::MAX);
    if connection.execute(RENEW, &[&node, &lease]).await? == 0 {
        return Ok(false);
    }
    let surplus = surplus(&connection, node).await?;
    if surplus > 0 {
        give_back(store, &connection, node, surplus).await?;
    }
    let taken = take(&connection, node).await?;
    let due = all(&connection, DUE, &[&node], |row| {
        Ok(WebhookOutSubId(row.try_get(0)?))
    })
    .await;
    let mut changed = due?;
    changed.extend(taken);
    let effects = changed.into_iter().map(crate::writing::Effect::Changed);
    let shared = &store.shared;
    shared
        .lanes
        .tell(&connection, &shared.key, effects.collect())
        .await;
    crate::partitions::make_ahead(&connection).await?;
    Ok(true)
}

/// Gives back lanes that have nothing to send, so that a node that has come gets its share.
async fn give_back(
    store: &PostgresStore,
    connection: &Connection,
    node: i64,
    surplus: i64,
) -> Result<(), Fault> {
    let _turn = store.shared.lanes.turn.lock().await;
    let given = all(connection, GIVE_BACK, &[&node, &surplus], |row| {
        Ok(WebhookOutSubId(row.try_get(0)?))
    })
    .await;
    for lane in given? {
        let owner = store.shared.lanes.owner_of(lane);
        store.shared.lanes.lock().owned.remove(&lane);
        if let Some(owner) = owner {
            owner.closed(lane);
        }
    }
    Ok(())
}

async fn close_all(store: &PostgresStore) {
    let _turn = store.shared.lanes.turn.lock().await;
    let (owner, owned) = {
        let mut inner = store.shared.lanes.lock();
        (inner.owner.clone(), std::mem::take(&mut inner.owned))
    };
    for lane in owned.into_keys() {
        owner.closed(lane);
    }
}

/// The lanes of a node whose lease has ended belong to others: it is another node from now on.
async fn begin_anew(store: &PostgresStore, node: i64) {
    close_all(store).await;
    match register(store).await {
        Ok((anew, lanes)) => {
            let _turn = store.shared.lanes.turn.lock().await;
            let owner = {
                let mut inner = store.shared.lanes.lock();
                inner.node = Some(anew);
                let fences = lanes.iter().map(|lane| (lane.sub.id, lane.fence));
                inner.owned = fences.collect();
                inner.owner.clone()
            };
            for lane in lanes {
                owner.changed(lane);
            }
        }
        Err(error) => tracing::warn!(%error, node, "the node could not begin anew yet"),
    }
}

/// Gives all lanes back at once: the store is being closed.
pub(crate) async fn leave(store: &PostgresStore) -> Result<(), StoreError> {
    let node = store.shared.lanes.lock().node.take();
    let Some(node) = node else {
        return Ok(());
    };
    let connection = store.connection().await?;
    connection.execute(LEAVE, &[&node]).await?;
    Ok(())
}
