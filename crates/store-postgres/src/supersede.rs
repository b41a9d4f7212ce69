//! Replacing what waits: where a subscription wants only the newest of an order, a newer job takes the place
//! of those that wait.

use domain::id::WebhookJobId;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use store::Withdrawal;

use crate::accept::{Group, NewJob};
use crate::ending;
use crate::fault::Fault;
use crate::list_query::all;
use crate::release;
use crate::writing::Writing;

// webhook_jobs_waiting_by_order; what was made by hand is not replaced
pub(crate) const WAITING: &str = "select id from webhook_jobs_waiting where webhook_out_sub_id = $1 and order_id = $2 \
     and ordered and sequence < $3 order by id for update";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[WAITING];

/// Ends the waiting jobs of an order for stages before this one, whose job is about to be stored. One that is in flight at this
/// moment stays, on whichever node: it may arrive.
pub(crate) async fn replace_waiting(writing: &mut Writing, job: &NewJob) -> Result<(), Fault> {
    let (sub, ordering) = (job.recipient.id, job.recipient.ordering);
    let (Some(order), Some(sequence)) = (job.order_id, job.sequence) else {
        return Ok(());
    };
    if sequence <= 1 {
        return Ok(());
    }
    let waiting = all(
        &writing.connection,
        WAITING,
        &[&sub.0, &order.0, &sequence],
        |row| Ok(WebhookJobId(row.try_get(0)?)),
    )
    .await;
    let mut replaced = Vec::new();
    for id in waiting? {
        if writing.withdraw(sub, id).await? == Withdrawal::Withdrawn {
            replaced.push(id);
        }
    }
    if replaced.is_empty() {
        return Ok(());
    }
    ending::end(&writing.connection, &replaced, JobState::Superseded, job.at).await?;
    writing.tally.add(JobState::Superseded, replaced.len());
    // Other orders may have waited for it.
    if ordering == Ordering::Subscription {
        let groups = [(Group::Subscription(sub), job.at)];
        release::release_next(writing, groups.into()).await?;
    }
    Ok(())
}
