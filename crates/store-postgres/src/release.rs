//! The order of jobs: which are held, and when they are released.
//!
//! Jobs of one group (the same order, or the whole subscription, as its ordering says) go out one after
//! another. A waiting job is *held*, which shows as no `next_attempt_at`, while an earlier one of its group
//! waits too; but for an earlier one that is `passed`, since the receiver itself keeps refusing it.
//!
//! Whoever adds a job to a group locks the one that holds it, and whoever ends that one looks for those it held only after it has the row: of
//! the two, the second always sees what the first did. Within an order earlier means a smaller sequence; within a subscription a smaller
//! id, since ids are given there by one at a time.

use std::collections::{HashMap, HashSet};

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_out_sub::Ordering;
use tokio_postgres::Row;

use crate::accept::Group;
use crate::connection::{Connection, Params};
use crate::due;
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::writing::Writing;

// webhook_jobs_waiting_by_order
pub(crate) const HELD_IN_ORDERS: &str = "select k.sub, k.order_id from unnest($1::bigint[], $2::bigint[]) as k (sub, order_id) \
     cross join lateral (select id from webhook_jobs_waiting where webhook_out_sub_id = k.sub and order_id = k.order_id \
     and ordered and not passed order by sequence limit 1 for share) h";
// webhook_jobs_waiting_by_subscriber; by both columns, or the primary key may be gone along until one of the subscription comes
pub(crate) const HELD_IN_SUBSCRIPTIONS: &str = "select k.sub from unnest($1::bigint[]) as k (sub) \
     cross join lateral (select id from webhook_jobs_waiting where webhook_out_sub_id = k.sub \
     and ordered and not passed order by webhook_out_sub_id, id limit 1 for share) h";
// webhook_jobs_waiting_by_order
pub(crate) const HOLDER_IN_ORDER: &str = "select id from webhook_jobs_waiting where webhook_out_sub_id = $1 and order_id = $2 \
     and sequence < (select sequence from webhook_jobs where id = $3) and ordered and not passed order by sequence limit 1";
// primary key, or by the subscription where it has fewer
pub(crate) const HOLDER_IN_SUBSCRIPTION: &str = "select id from webhook_jobs_waiting where webhook_out_sub_id = $1 and id < $2 \
     and ordered and not passed order by id limit 1";
// webhook_jobs_waiting_by_order; the first that holds others is the only one that can be next
pub(crate) const NEXT_IN_ORDERS: &str = "select k.place, h.id from unnest($1::bigint[], $2::bigint[]) with ordinality as k (sub, order_id, place) \
     cross join lateral (select id, next_attempt_at from webhook_jobs_waiting where webhook_out_sub_id = k.sub \
     and order_id = k.order_id and ordered and not passed order by sequence limit 1) h where h.next_attempt_at is null";
// webhook_jobs_waiting_by_subscriber; the same
pub(crate) const NEXT_IN_SUBSCRIPTIONS: &str = "select k.place, h.id from unnest($1::bigint[]) with ordinality as k (sub, place) \
     cross join lateral (select id, next_attempt_at from webhook_jobs_waiting where webhook_out_sub_id = k.sub \
     and ordered and not passed order by webhook_out_sub_id, id limit 1) h where h.next_attempt_at is null";
// webhook_jobs_waiting_by_subscriber
pub(crate) const ALL_HELD: &str = "select id, order_id from webhook_jobs_waiting where webhook_out_sub_id = $1 \
     and ordered and next_attempt_at is null order by id";
// primary key
pub(crate) const RELEASE: &str = "update webhook_jobs_waiting w set next_attempt_at = u.at from unnest($1::bigint[], $2::bigint[]) as u (id, at) \
     where w.id = u.id returning w.id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    HELD_IN_ORDERS,
    HELD_IN_SUBSCRIPTIONS,
    HOLDER_IN_ORDER,
    HOLDER_IN_SUBSCRIPTION,
    NEXT_IN_ORDERS,
    NEXT_IN_SUBSCRIPTIONS,
    ALL_HELD,
    RELEASE,
];

/// In which of these groups a further job has to wait; what it waits for stays until this transaction ends.
pub(crate) async fn held(
    connection: &Connection,
    groups: &HashSet<Group>,
) -> Result<HashSet<Group>, Fault> {
    let mut sorted: Vec<Group> = groups.iter().copied().collect();
    sorted.sort_unstable();
    let (mut subs, mut orders, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    for group in sorted {
        match group {
            Group::Order(sub, order) => {
                subs.push(sub.0);
                orders.push(order.0);
            }
            Group::Subscription(sub) => whole.push(sub.0),
        }
    }
    let mut held = HashSet::new();
    if !subs.is_empty() {
        held.extend(
            all(connection, HELD_IN_ORDERS, &[&subs, &orders], |row| {
                let sub = WebhookOutSubId(row.try_get(0)?);
                Ok(Group::Order(sub, OrderId(row.try_get(1)?)))
            })
            .await?,
        );
    }
    if !whole.is_empty() {
        held.extend(
            all(connection, HELD_IN_SUBSCRIPTIONS, &[&whole], |row| {
                Ok(Group::Subscription(WebhookOutSubId(row.try_get(0)?)))
            })
            .await?,
        );
    }
    Ok(held)
}

/// The earliest job of the group that a waiting one has to wait for.
pub(crate) async fn holder(
    connection: &Connection,
    sub: WebhookOutSubId,
    order: Option<OrderId>,
    ordering: Ordering,
    job: i64,
) -> Result<Option<WebhookJobId>, Fault> {
    let read = |row: &Row| Ok(WebhookJobId(row.try_get(0)?));
    let Some(order) = order else { return Ok(None) };
    match ordering {
        Ordering::Order => {
            let params: Params = &[&sub.0, &order.0, &job];
            one(connection, HOLDER_IN_ORDER, params, read).await
        }
        Ordering::Subscription => {
            one(connection, HOLDER_IN_SUBSCRIPTION, &[&sub.0, &job], read).await
        }
        Ordering::None => Ok(None),
    }
}

/// The group of a job, if it has one.
pub(crate) fn group_of(
    sub: WebhookOutSubId,
    order: Option<OrderId>,
    ordering: Ordering,
) -> Option<Group> {
    match (ordering, order) {
        (Ordering::Order, Some(order)) => Some(Group::Order(sub, order)),
        (Ordering::Subscription, _) => Some(Group::Subscription(sub)),
        (Ordering::Order, None) | (Ordering::None, _) => None,
    }
}

/// How often the next job of a group is looked for: each time another transaction has ended the one that was found.
const LOOKS_MAX: u32 = 10;

/// Releases the next held job of each group, if nothing holds it any more, due at the moment beside it; called when one of the group
/// became final or is passed.
pub(crate) async fn release_next(
    writing: &mut Writing,
    groups: HashMap<Group, Moment>,
) -> Result<(), Fault> {
    let found = next_of(&writing.connection, &groups).await?;
    release_those(writing, groups, found).await
}

/// Releases those that were found to be next.
pub(crate) async fn release_those(
    writing: &mut Writing,
    mut left: HashMap<Group, Moment>,
    mut found: HashMap<Group, i64>,
) -> Result<(), Fault> {
    for _ in 0..LOOKS_MAX {
        if found.is_empty() {
            return Ok(());
        }
        let due: Vec<(i64, Moment)> = found
            .iter()
            .filter_map(|(group, id)| Some((*id, *left.get(group)?)))
            .collect();
        let released = make_due(&writing.connection, &due).await?;
        left.retain(|group, _| found.get(group).is_some_and(|id| !released.contains(id)));
        for job in due::ready_jobs(&writing.connection, &released).await? {
            writing.ready(job);
        }
        found = next_of(&writing.connection, &left).await?;
    }
    Err(Fault::Raced)
}

/// The held job of each group that nothing holds any more.
pub(crate) async fn next_of(
    connection: &Connection,
    groups: &HashMap<Group, Moment>,
) -> Result<HashMap<Group, i64>, Fault> {
    let (mut in_orders, mut in_subs) = (Vec::new(), Vec::new());
    for group in groups.keys() {
        match group {
            Group::Order(..) => in_orders.push(*group),
            Group::Subscription(_) => in_subs.push(*group),
        }
    }
    let mut found = HashMap::new();
    let subs = |groups: &[Group]| -> Vec<i64> {
        let subs = groups.iter().map(|group| match group {
            Group::Order(sub, _) | Group::Subscription(sub) => sub.0,
        });
        subs.collect()
    };
    if !in_orders.is_empty() {
        let orders = in_orders.iter().filter_map(|group| match group {
            Group::Order(_, order) => Some(order.0),
            Group::Subscription(_) => None,
        });
        let orders: Vec<i64> = orders.collect();
        let params: Params = &[&subs(&in_orders), &orders];
        let rows = connection.query(NEXT_IN_ORDERS, params).await?;
        note(&mut found, &in_orders, &rows)?;
    }
    if !in_subs.is_empty() {
        let params: Params = &[&subs(&in_subs)];
        let rows = connection.query(NEXT_IN_SUBSCRIPTIONS, params).await?;
        note(&mut found, &in_subs, &rows)?;
    }
    Ok(found)
}

/// Notes what rows tell: the place of a group, from 1, and its job.
fn note(found: &mut HashMap<Group, i64>, groups: &[Group], rows: &[Row]) -> Result<(), Fault> {
    for row in rows {
        let place: i64 = row.try_get(0)?;
        let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
        if let Some(group) = groups.get(place) {
            found.insert(*group, row.try_get(1)?);
        }
    }
    Ok(())
}

/// Releases every held job of a subscription that nothing holds under its new ordering. They may be many: the lane
/// is not handed them, but claims them when it is told that it has changed.
pub(crate) async fn release_all_free(
    connection: &Connection,
    sub: WebhookOutSubId,
    ordering: Ordering,
    at: Moment,
) -> Result<(), Fault> {
    let held = all(connection, ALL_HELD, &[&sub.0], |row| {
        let order: Option<i64> = row.try_get(1)?;
        Ok((row.try_get::<_, i64>(0)?, order.map(OrderId)))
    })
    .await;
    let mut free = Vec::new();
    for (id, order) in held? {
        let holder = holder(connection, sub, order, ordering, id).await?;
        if holder.is_none() {
            free.push((id, at));
        }
    }
    make_due(connection, &free).await.map(|_| ())
}

/// Makes jobs due that wait; which of them still did.
async fn make_due(connection: &Connection, due: &[(i64, Moment)]) -> Result<Vec<i64>, Fault> {
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let (ids, moments): (Vec<i64>, Vec<i64>) =
        due.iter().map(|(id, at)| (*id, at.microseconds())).unzip();
    all(connection, RELEASE, &[&ids, &moments], |row| {
        Ok(row.try_get(0)?)
    })
    .await
}

/// Makes a held job due, and hands it to its lane.
pub(crate) async fn release(
    writing: &mut Writing,
    id: WebhookJobId,
    at: Moment,
) -> Result<(), Fault> {
    let due = make_due(&writing.connection, &[(id.0, at)]).await?;
    for job in due::ready_jobs(&writing.connection, &due).await? {
        writing.ready(job);
    }
    Ok(())
}
