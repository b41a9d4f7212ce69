//! Replacing what waits: where a subscription wants only the newest of an order, a newer job takes the place
//! of those that wait.

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use rusqlite::params;
use store::Withdrawal;

use crate::fault::Fault;
use crate::list_query::all;
use crate::release;
use crate::writing::Writing;

// webhook_jobs_waiting_of_order; what was made by hand is not replaced
pub(crate) const WAITING: &str = "select id from webhook_jobs where webhook_out_sub_id = ?1 and order_id = ?2 \
     and finished_at is null and ordered = 1 and sequence < ?3 order by id";
// primary key
pub(crate) const SUPERSEDE: &str = "update webhook_jobs set state = 'superseded', next_attempt_at = null, finished_at = ?2 \
     where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[WAITING, SUPERSEDE];

/// Ends the waiting jobs of an order for stages before this one, whose job is about to be stored. One that is in flight at this
/// moment stays: it may arrive.
pub(crate) fn replace_waiting(
    writing: &mut Writing,
    sub: WebhookOutSubId,
    ordering: Ordering,
    order: OrderId,
    sequence: i64,
    at: Moment,
) -> Result<(), Fault> {
    let waiting: Vec<i64> = all(
        &writing.connection,
        WAITING,
        [sub.0, order.0, sequence],
        |row| Ok(row.get(0)?),
    )?;
    let mut has_replaced = false;
    for id in waiting {
        if writing.owner.withdraw(sub, WebhookJobId(id)) == Withdrawal::InFlight {
            continue;
        }
        writing.withdrawn(WebhookJobId(id));
        let params = params![id, at.microseconds()];
        writing
            .connection
            .prepare_cached(SUPERSEDE)?
            .execute(params)?;
        writing.tally.add(JobState::Superseded, 1);
        has_replaced = true;
    }
    // Other orders may have waited for it.
    if has_replaced && ordering == Ordering::Subscription {
        release::release_next(writing, sub, Some(order), ordering, at)?;
    }
    Ok(())
}
