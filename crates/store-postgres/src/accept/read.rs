//! What a batch of changes needs to know, read in one go and held until the batch is stored.

use std::collections::{HashMap, VecDeque};

use domain::id::{IntegrationId, OrderId, OrderStageId};
use domain::time::Moment;
use store::{NewOrderStage, OrderRef};
use tokio::try_join;
use tokio_postgres::Row;

use super::order::Known;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::known::{REVISIONS, Revisions};
use crate::locks;
use crate::writing::Writing;

// primary key
pub(crate) const FIND_KEYS: &str = "select k.integration_id, k.key, i.request_hash, i.answer, i.created_at \
     from unnest($1::bigint[], $2::text[]) as k (integration_id, key) \
     join idempotency_keys i on i.integration_id = k.integration_id and i.key = k.key";
// Each is looked up by itself, which `offset` keeps: a plan that was made while there were few orders would join with all of them.
// orders_by_external_order_id, primary key; locked in the order of ids, so that batches do not wait in a circle
pub(crate) const LOCK_ORDERS: &str = "select id, integration_id, external_order_id, status, sequence, fields, created_at from orders \
     where id = any(array(select o.id from unnest($1::bigint[], $2::text[]) as k (integration_id, external_order_id) \
     cross join lateral (select id from orders where integration_id = k.integration_id and external_order_id = k.external_order_id \
     offset 0) o) || $3::bigint[]) \
     order by id for no key update";
// of so many stages, and no more orders
pub(crate) const DRAW: &str = "select nextval('order_stages_id_seq') as stage, case when n <= $2::bigint then nextval('orders_id_seq') end as order \
     from generate_series(1, $1::bigint) as k (n)";

/// In the order in which they are sent.
pub(super) const TOGETHER: &[&str] = &[
    locks::SHARE,
    REVISIONS,
    FIND_KEYS,
    LOCK_ORDERS,
    locks::MARK_STAGES,
    DRAW,
];

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FIND_KEYS, LOCK_ORDERS, DRAW];

/// An answer that was given before.
pub(super) struct KeptAnswer {
    pub(super) request_hash: Vec<u8>,
    pub(super) answer: Vec<u8>,
    pub(super) at: Moment,
}

/// What is read for a batch.
pub(super) struct Read {
    pub(super) revisions: Revisions,
    /// By integration and key.
    pub(super) answers: HashMap<(i64, String), KeptAnswer>,
    pub(super) orders: Vec<Known>,
    /// For as many stages and orders as the batch may make.
    pub(super) stage_ids: VecDeque<OrderStageId>,
    pub(super) order_ids: VecDeque<OrderId>,
}

/// Begins, and reads and locks what the changes name.
pub(super) async fn read(writing: &Writing, stages: &[NewOrderStage]) -> Result<Read, Fault> {
    let connection = &writing.connection;
    let integrations: Vec<IntegrationId> = stages.iter().map(|one| one.integration_id).collect();
    let mut ids: Vec<i64> = integrations.iter().map(|id| id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let of_integrations: Params = &[&ids];
    // In the order in which they stand here, since the connection carries out one after another; each sees what was committed when
    // it begins. The ids are taken when the orders are locked: those of one order then ascend with its sequence.
    let (_, _, revisions, answers, orders, _, (stage_ids, order_ids)) = try_join!(
        biased;
        writing.begin(),
        locks::share_subscriptions(connection, &integrations),
        connection.query(REVISIONS, of_integrations),
        find_keys(connection, stages),
        lock_orders(connection, stages),
        locks::mark_stages(connection),
        draw(connection, stages.len(), may_be_new(stages)),
    )?;
    Ok(Read {
        revisions: Revisions::read(&revisions)?,
        answers,
        orders,
        stage_ids,
        order_ids,
    })
}

async fn find_keys(
    connection: &Connection,
    stages: &[NewOrderStage],
) -> Result<HashMap<(i64, String), KeptAnswer>, Fault> {
    let keyed = stages.iter().filter_map(|stage| {
        let key = stage.idempotency.as_ref()?;
        Some((stage.integration_id.0, key.key.as_str()))
    });
    let (integrations, keys): (Vec<i64>, Vec<&str>) = keyed.unzip();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = connection.query(FIND_KEYS, &[&integrations, &keys]).await?;
    let read = |row: &Row| {
        let place = (row.try_get("integration_id")?, row.try_get("key")?);
        let answer = KeptAnswer {
            request_hash: row.try_get("request_hash")?,
            answer: row.try_get("answer")?,
            at: Moment::from_microseconds(row.try_get("created_at")?),
        };
        Ok((place, answer))
    };
    rows.iter().map(read).collect()
}

async fn lock_orders(
    connection: &Connection,
    stages: &[NewOrderStage],
) -> Result<Vec<Known>, Fault> {
    let (mut integrations, mut external, mut ids) = (Vec::new(), Vec::new(), Vec::new());
    for stage in stages {
        match &stage.order {
            OrderRef::Id(id) => ids.push(id.0),
            OrderRef::External(id) => {
                integrations.push(stage.integration_id.0);
                external.push(id.as_str());
            }
        }
    }
    let rows = connection
        .query(LOCK_ORDERS, &[&integrations, &external, &ids])
        .await?;
    rows.iter().map(Known::read).collect()
}

/// How many orders the changes may make, some of which are there already.
fn may_be_new(stages: &[NewOrderStage]) -> usize {
    stages.iter().filter(|stage| stage.create_order).count()
}

/// Ids for stages, and for no more orders.
async fn draw(
    connection: &Connection,
    stages: usize,
    orders: usize,
) -> Result<(VecDeque<OrderStageId>, VecDeque<OrderId>), Fault> {
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    let params: Params = &[&count(stages), &count(orders)];
    let (mut stage_ids, mut order_ids) = (VecDeque::new(), VecDeque::new());
    for row in connection.query(DRAW, params).await? {
        stage_ids.push_back(OrderStageId(row.try_get("stage")?));
        let order: Option<i64> = row.try_get("order")?;
        order_ids.extend(order.map(OrderId));
    }
    Ok((stage_ids, order_ids))
}
