//! Deleting a subscription: its key is free and its lane closed at once; its waiting jobs are canceled in
//! steps, so that a long backlog holds up nobody.

use domain::id::{IntegrationId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::WebhookOutSub;
use futures_util::FutureExt;
use store::{Change, Rejection, StoreError};

use super::{hold, revisions, write_event};
use crate::ending;
use crate::fault::Fault;
use crate::lanes;
use crate::list_query::all;
use crate::open::PostgresStore;
use crate::writing::Writing;

/// Jobs that one step cancels: bounds how long it holds their rows.
const JOBS_PER_STEP: i64 = 1_000;

// primary key
pub(crate) const DELETE: &str =
    "update webhook_out_subs set active = false, updated_at = $2, deleted_at = $2 where id = $1";
// webhook_jobs_waiting_by_subscriber, once for each subscription that was ever deleted; what others cancel is left to them
pub(crate) const LEFTOVERS: &str = "select j.id from webhook_out_subs s cross join lateral (select id from webhook_jobs_waiting \
     where webhook_out_sub_id = s.id order by id limit $1 for update skip locked) j where s.deleted_at is not null limit $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[DELETE, LEFTOVERS];

pub(super) async fn delete(
    store: &PostgresStore,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: Change,
) -> Result<WebhookOutSub, Rejection> {
    let at = change.at;
    let asked = (integration_id, id, change);
    let deleted = store.write(asked, |writing, (integration_id, id, change)| {
        delete_one(writing, *integration_id, *id, change).boxed()
    });
    let deleted = deleted.await?;
    // It is deleted whatever becomes of this: nobody sends its jobs, and the next start cancels the rest.
    if let Err(error) = cancel_leftovers(store, at).await {
        tracing::warn!(%error, webhook_out_sub_id = id.0, "jobs of a deleted subscription wait on");
    }
    Ok(deleted)
}

/// Cancels all waiting jobs of deleted subscriptions, in steps that hold nobody up.
pub(crate) async fn cancel_leftovers(store: &PostgresStore, at: Moment) -> Result<(), StoreError> {
    loop {
        let step = store.write(at, |writing, at| cancel_some(writing, *at).boxed());
        if step.await.map_err(StoreError::from)? == 0 {
            return Ok(());
        }
    }
}

async fn delete_one(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let connection = &writing.connection;
    let before = hold(connection, integration_id, id).await?;
    let at = change.at.microseconds();
    connection.execute(DELETE, &[&id.0, &at]).await?;
    let after = WebhookOutSub {
        active: false,
        updated_at: change.at,
        ..before.clone()
    };
    write_event(connection, change, "delete", Some(&before), &after).await?;
    revisions::keep(connection, integration_id, id, change.at).await?;
    connection.execute(lanes::DELETE, &[&id.0]).await?;
    writing.closed(id);
    Ok(after)
}

/// Cancels some waiting jobs of deleted subscriptions; how many.
async fn cancel_some(writing: &mut Writing, at: Moment) -> Result<usize, Fault> {
    let left = all(&writing.connection, LEFTOVERS, &[&JOBS_PER_STEP], |row| {
        Ok(WebhookJobId(row.try_get(0)?))
    });
    let left = left.await?;
    ending::end(&writing.connection, &left, JobState::Canceled, at).await?;
    writing.tally.add(JobState::Canceled, left.len());
    Ok(left.len())
}
