//! Each node's share of the lanes: as many as there are for each node.

use std::collections::HashSet;
use std::time::Duration;

use domain::id::WebhookOutSubId;

use super::News;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::open::PostgresStore;

/// How often it is looked whether the last attempts of a lane that leaves are recorded.
const LOOK_MILLISECONDS: u64 = 20;

// all of them: they are few
pub(crate) const SHARE: &str = "select (count(*) + n.live - 1) / n.live as lanes from lanes, \
     (select greatest(count(*), 1) as live from nodes) n group by n.live";
// lanes_by_node
pub(crate) const COUNT: &str = "select count(*) from lanes where node_id = $1";
// primary keys; those that another node takes at this moment are left to it
pub(crate) const TAKE: &str = "update lanes set node_id = $1, fence = fence + 1 where webhook_out_sub_id in \
     (select webhook_out_sub_id from lanes l where not exists (select 1 from nodes n where n.id = l.node_id) \
     order by webhook_out_sub_id limit $2 for update skip locked) returning webhook_out_sub_id";
// lanes_by_node, webhook_jobs_waiting_by_subscriber; those with nothing to send first
pub(crate) const SURPLUS: &str = "select webhook_out_sub_id from lanes l where node_id = $1 \
     order by exists (select 1 from webhook_jobs_waiting j where j.webhook_out_sub_id = l.webhook_out_sub_id), \
     webhook_out_sub_id desc limit $2";
// primary key
pub(crate) const GIVE_BACK: &str =
    "update lanes set node_id = null where webhook_out_sub_id = any($2) and node_id = $1";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[SHARE, COUNT, TAKE, SURPLUS, GIVE_BACK];

/// Takes lanes that nobody has, up to the node's share.
pub(super) async fn take(
    connection: &Connection,
    node: i64,
) -> Result<Vec<WebhookOutSubId>, Fault> {
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

/// Gives back what is more than the node's share: those lanes start nothing more, and are free once what is on its way is recorded.
pub(super) async fn give_back(
    store: &PostgresStore,
    connection: &Connection,
    node: i64,
) -> Result<(), Fault> {
    let lanes = &store.shared.lanes;
    let leaving = i64::try_from(lanes.lock().leaving.len()).unwrap_or(i64::MAX);
    let surplus = surplus(connection, node).await? - leaving;
    if surplus <= 0 {
        return Ok(());
    }
    let chosen = all(connection, SURPLUS, &[&node, &(surplus + leaving)], |row| {
        Ok(WebhookOutSubId(row.try_get(0)?))
    })
    .await?;
    let _turn = lanes.turn.lock().await;
    let (owner, closed) = {
        let mut inner = lanes.lock();
        let mut closed: Vec<WebhookOutSubId> = Vec::new();
        for lane in chosen {
            if inner.owned.remove(&lane).is_some() {
                inner.leaving.insert(lane);
                closed.push(lane);
            }
        }
        (inner.owner.clone(), closed)
    };
    for lane in &closed {
        owner.closed(*lane);
    }
    tokio::spawn(part_from(store.clone(), node, closed));
    Ok(())
}

/// Waits until nothing of the lanes is on its way any more, and sets them free: as long as an attempt and its recording take, since another
/// node would send again what is under way. A node that begins anew meanwhile has none of them any more.
async fn part_from(store: PostgresStore, node: i64, closed: Vec<WebhookOutSubId>) {
    let lanes = &store.shared.lanes;
    let owner = lanes.lock().owner.clone();
    let mut left: HashSet<WebhookOutSubId> = closed.into_iter().collect();
    while !left.is_empty() && lanes.node() == Some(node) {
        let spent = left.extract_if(|lane| owner.is_spent(*lane));
        let free: Vec<i64> = spent.map(|lane| lane.0).collect();
        if !free.is_empty() {
            set_free(&store, node, &free).await;
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MILLISECONDS)).await;
    }
    lanes.lock().leaving.retain(|lane| !left.contains(lane));
}

/// Lanes are looked at before or after it, not meanwhile: who read that they are this node's would find that they leave no more.
async fn set_free(store: &PostgresStore, node: i64, free: &[i64]) {
    let _turn = store.shared.lanes.turn.lock().await;
    let given = async {
        let connection = store.connection().await?;
        connection.execute(GIVE_BACK, &[&node, &free]).await
    };
    let lanes = &store.shared.lanes;
    match given.await {
        Ok(_) => lanes.notices.announce(News::Free),
        // They are this node's still; the next renewal tells their owner so.
        Err(fault) => tracing::warn!(?fault, "lanes were not given back"),
    }
    let mut inner = lanes.lock();
    for lane in free {
        inner.leaving.remove(&WebhookOutSubId(*lane));
    }
}
