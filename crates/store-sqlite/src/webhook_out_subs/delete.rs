//! Deleting a subscription: its key is free and its lane closed at once; its waiting jobs are canceled in
//! steps, so that a long backlog holds up nobody.

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::WebhookOutSub;
use rusqlite::{Connection, params};
use store::{Change, Rejection, StoreError};

use super::{find, revisions, write_event};
use crate::fault::Fault;
use crate::open::SqliteStore;
use crate::writing::{JOBS_PER_COMMIT_MAX, Writing};

// primary key
pub(crate) const DELETE: &str =
    "update webhook_out_subs set active = 0, updated_at = ?2, deleted_at = ?2 where id = ?1";
// webhook_jobs_waiting, once for each subscription that was ever deleted
pub(crate) const CANCEL_LEFTOVERS: &str = "update webhook_jobs set state = 'canceled', finished_at = ?1, next_attempt_at = null \
     where id in (select j.id from webhook_out_subs s cross join webhook_jobs j \
     indexed by webhook_jobs_waiting on j.webhook_out_sub_id = s.id and j.finished_at is null \
     where s.deleted_at is not null limit ?2)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[DELETE, CANCEL_LEFTOVERS];

pub(super) async fn delete(
    store: &SqliteStore,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: Change,
) -> Result<WebhookOutSub, Rejection> {
    let at = change.at;
    let deleted = store
        .write(move |writing| delete_one(writing, integration_id, id, &change))
        .await?;
    // It is deleted whatever becomes of this: nobody sends its jobs, and the next start cancels the rest.
    if let Err(error) = cancel_leftovers(store, at).await {
        tracing::warn!(%error, webhook_out_sub_id = id.0, "jobs of a deleted subscription wait on");
    }
    Ok(deleted)
}

/// Cancels all waiting jobs of deleted subscriptions, in steps that hold nobody up.
pub(crate) async fn cancel_leftovers(store: &SqliteStore, at: Moment) -> Result<(), StoreError> {
    loop {
        let step = store.write(move |writing| {
            let canceled = cancel_some(&writing.connection, JOBS_PER_COMMIT_MAX, at)?;
            writing.count(canceled);
            writing.tally.add(JobState::Canceled, canceled);
            Ok(canceled)
        });
        if step.await? < JOBS_PER_COMMIT_MAX {
            return Ok(());
        }
    }
}

fn delete_one(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WebhookOutSub, Fault> {
    let before = find(&writing.connection, integration_id, id)?;
    writing
        .connection
        .prepare_cached(DELETE)?
        .execute(params![id.0, change.at.microseconds()])?;
    let after = WebhookOutSub {
        active: false,
        updated_at: change.at,
        ..before.clone()
    };
    write_event(&writing.connection, change, "delete", Some(&before), &after)?;
    revisions::keep(writing, integration_id, id, change.at)?;
    writing.closed(id);
    Ok(after)
}

/// Cancels up to `limit` waiting jobs of deleted subscriptions; returns how many.
fn cancel_some(connection: &Connection, limit: usize, at: Moment) -> Result<usize, Fault> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let canceled = connection
        .prepare_cached(CANCEL_LEFTOVERS)?
        .execute(params![at.microseconds(), limit])?;
    Ok(canceled)
}
