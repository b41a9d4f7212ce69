//! The order of jobs: which are held, and when they are released.
//!
//! Jobs of one group (the same order, or the whole subscription, as its ordering says) go out one after
//! another. A waiting job is *held*, which shows as no `next_attempt_at`, while an earlier one of its group
//! waits too; but for an earlier one that is `passed`, since the receiver itself keeps refusing it.

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_out_sub::Ordering;
use rusqlite::{Connection, OptionalExtension, params};

use crate::due;
use crate::fault::Fault;
use crate::writing::Writing;

// webhook_jobs_waiting_of_order
pub(crate) const HOLDER_IN_ORDER: &str = "select id from webhook_jobs where webhook_out_sub_id = ?1 and order_id = ?2 and id < ?3 \
     and finished_at is null and ordered = 1 and passed = 0 order by id limit 1";
// webhook_jobs_waiting
pub(crate) const HOLDER_IN_SUBSCRIPTION: &str = "select id from webhook_jobs where webhook_out_sub_id = ?1 and ?2 is not null and id < ?3 \
     and finished_at is null and ordered = 1 and passed = 0 order by id limit 1";
// webhook_jobs_waiting_of_order
pub(crate) const FIRST_HELD_IN_ORDER: &str = "select id from webhook_jobs where webhook_out_sub_id = ?1 and order_id = ?2 \
     and finished_at is null and ordered = 1 and next_attempt_at is null order by id limit 1";
// webhook_jobs_waiting
pub(crate) const FIRST_HELD_IN_SUBSCRIPTION: &str = "select id from webhook_jobs where webhook_out_sub_id = ?1 \
     and finished_at is null and ordered = 1 and next_attempt_at is null order by id limit 1";
// webhook_jobs_waiting
pub(crate) const ALL_HELD: &str = "select id, order_id from webhook_jobs where webhook_out_sub_id = ?1 \
     and finished_at is null and ordered = 1 and next_attempt_at is null order by id";
pub(crate) const RELEASE: &str =
    "update webhook_jobs set next_attempt_at = ?2 where id = ?1 and finished_at is null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    HOLDER_IN_ORDER,
    HOLDER_IN_SUBSCRIPTION,
    FIRST_HELD_IN_ORDER,
    FIRST_HELD_IN_SUBSCRIPTION,
    ALL_HELD,
    RELEASE,
];

/// Whether a job of this group with the number `before`, or a new one, has to wait for an earlier one.
pub(crate) fn is_held(
    connection: &Connection,
    sub: WebhookOutSubId,
    order: Option<OrderId>,
    ordering: Ordering,
    before: i64,
) -> Result<bool, Fault> {
    Ok(holder(connection, sub, order, ordering, before)?.is_some())
}

/// The earliest job of the group that one with the number `before` has to wait for.
pub(crate) fn holder(
    connection: &Connection,
    sub: WebhookOutSubId,
    order: Option<OrderId>,
    ordering: Ordering,
    before: i64,
) -> Result<Option<WebhookJobId>, Fault> {
    let statement = match ordering {
        Ordering::Order => HOLDER_IN_ORDER,
        Ordering::Subscription => HOLDER_IN_SUBSCRIPTION,
        Ordering::None => return Ok(None),
    };
    let Some(order) = order else { return Ok(None) };
    let id = connection
        .prepare_cached(statement)?
        .query_row(params![sub.0, order.0, before], |row| row.get(0))
        .optional()?;
    Ok(id.map(WebhookJobId))
}

/// Releases the next held job of a group, if nothing holds it any more; called when one of the group
/// became final or is passed.
pub(crate) fn release_next(
    writing: &mut Writing,
    sub: WebhookOutSubId,
    order: Option<OrderId>,
    ordering: Ordering,
    at: Moment,
) -> Result<(), Fault> {
    let connection = &writing.connection;
    let first = match (ordering, order) {
        (Ordering::Order, Some(order)) => connection
            .prepare_cached(FIRST_HELD_IN_ORDER)?
            .query_row(params![sub.0, order.0], |row| row.get(0)),
        (Ordering::Subscription, _) => connection
            .prepare_cached(FIRST_HELD_IN_SUBSCRIPTION)?
            .query_row(params![sub.0], |row| row.get(0)),
        (Ordering::Order, None) | (Ordering::None, _) => return Ok(()),
    };
    let Some(first) = first.optional()? else {
        return Ok(());
    };
    // Within a subscription, any order of it stands for the group.
    let group = order.or(Some(OrderId(0)));
    if is_held(connection, sub, group, ordering, first)? {
        return Ok(());
    }
    release(writing, WebhookJobId(first), at)
}

/// Releases every held job of a subscription that nothing holds under its new ordering. They may be many: the lane
/// is not handed them, but claims them when it is told that it has changed.
pub(crate) fn release_all_free(
    connection: &Connection,
    sub: WebhookOutSubId,
    ordering: Ordering,
    at: Moment,
) -> Result<(), Fault> {
    let held: Vec<(i64, Option<i64>)> = {
        let mut statement = connection.prepare_cached(ALL_HELD)?;
        let rows = statement.query_map([sub.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    for (id, order) in held {
        let order = order.map(OrderId);
        if !is_held(connection, sub, order, ordering, id)? {
            make_due(connection, WebhookJobId(id), at)?;
        }
    }
    Ok(())
}

fn make_due(connection: &Connection, id: WebhookJobId, at: Moment) -> Result<(), Fault> {
    connection
        .prepare_cached(RELEASE)?
        .execute(params![id.0, at.microseconds()])?;
    Ok(())
}

/// Makes a held job due, and hands it to its lane.
pub(crate) fn release(writing: &mut Writing, id: WebhookJobId, at: Moment) -> Result<(), Fault> {
    make_due(&writing.connection, id, at)?;
    let job = due::ready_job(&writing.connection, id)?;
    writing.ready(job);
    Ok(())
}
