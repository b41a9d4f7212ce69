//! What people do with single jobs: repeat one, withdraw one, tell of a fresh one.

use domain::id::{IntegrationId, WebhookJobId};
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_job::{JobState, WebhookJob};
use store::{Change, Withdrawal};
use uuid::Uuid;

use super::read_job;
use super::rerender;
use super::show::{of_integration, standing};
use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;
use crate::{check, due, ending, release};

// primary key; nobody else changes or ends it until this transaction ends
pub(crate) const LOCK: &str = "select id from webhook_jobs_waiting where id = $1 for update";
// primary key
pub(crate) const HASTEN: &str = "update webhook_jobs_waiting set next_attempt_at = least(next_attempt_at, $2) where id = $1 and next_attempt_at is not null";
// primary key
pub(crate) const REPEAT: &str = "insert into webhook_jobs_waiting (integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, \
     payload_id, status, event, webhook_id, ordered, next_attempt_at, test, retry_of, late, view_failed, created_at) \
     select integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, \
     payload_id, status, event, $2, false, $3, test, id, true, view_failed, $3 \
     from webhook_jobs_final where id = $1 returning id";
// primary key
pub(crate) const REQUEST_CANCEL: &str =
    "update webhook_jobs_waiting set cancel_requested = true where id = $1";
// primary keys
pub(crate) const LEFT: &str = "select exists (select 1 from order_stages where id = j.order_stage_id), \
     exists (select 1 from payloads where id = j.payload_id) from webhook_jobs_final j where j.id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[LOCK, HASTEN, REPEAT, REQUEST_CANCEL, LEFT];

/// Makes a waiting job due now, unless it is held; repeats a final one as a new job outside the ordering.
pub(super) async fn retry(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookJobId,
    rerendered: bool,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let before = find(&writing.connection, integration_id, id).await?;
    let standing = standing(&writing.connection, id).await?;
    if standing.is_deleted {
        return Err(Fault::refused(
            "id",
            "belongs to a subscription that is deleted",
        ));
    }
    if !standing.is_active {
        let message = "belongs to a subscription that is not active; switch that on first";
        return Err(Fault::refused("id", message));
    }
    if rerendered && before.order_stage_id.is_none() {
        let message = "is for jobs that tell of a change; this one does not";
        return Err(Fault::refused("rerender", message));
    }
    if let Some(lost) = lost(&writing.connection, &before, rerendered).await? {
        return Err(Fault::refused("id", lost));
    }
    let retried = retry_one(writing, &before, rerendered, change.at).await?;
    let is_new = retried != before.id;
    let job = reread(&writing.connection, retried).await?;
    let told = Some(&before).filter(|_| !is_new);
    write_event(&writing.connection, change, "retry", told, &job).await?;
    Ok(job)
}

/// Retries a job whose subscription is active, and tells its lane; the job that is due now.
pub(crate) async fn retry_one(
    writing: &mut Writing,
    job: &WebhookJob,
    rerendered: bool,
    at: Moment,
) -> Result<WebhookJobId, Fault> {
    let id = if job.state.is_final() {
        repeat(writing, job, at).await?
    } else {
        let params: Params = &[&job.id.0, &at.microseconds()];
        writing.connection.execute(HASTEN, params).await?;
        job.id
    };
    if rerendered {
        rerender::rerender(&writing.connection, id).await?;
    }
    // A held one is handed over when it is released.
    for ready in due::ready_jobs(&writing.connection, &[id.0]).await? {
        writing.ready(ready);
    }
    Ok(id)
}

/// Why a job cannot be repeated: what it would need was removed because of its age. What waits has lost nothing.
pub(crate) async fn lost(
    connection: &Connection,
    job: &WebhookJob,
    rerendered: bool,
) -> Result<Option<&'static str>, Fault> {
    if !job.state.is_final() {
        return Ok(None);
    }
    let left = one(connection, LEFT, &[&job.id.0], |row| {
        Ok((row.try_get::<_, bool>(0)?, row.try_get::<_, bool>(1)?))
    })
    .await;
    let left = left?;
    let (has_stage, has_payload) = left.unwrap_or_default();
    let tells_of_change = job.order_stage_id.is_some();
    Ok(if tells_of_change && !has_stage {
        Some("tells of a change that was removed because of its age; report that change again")
    } else if has_payload || rerendered {
        None
    } else if tells_of_change {
        Some(
            "has lost its payload because of its age; retry it with rerender, which makes a new one",
        )
    } else {
        Some("has lost its payload because of its age, and nothing tells how to make it again")
    })
}

/// Whether the job's subscription is there and active.
pub(crate) async fn is_sent(connection: &Connection, id: WebhookJobId) -> Result<bool, Fault> {
    let standing = standing(connection, id).await?;
    Ok(standing.is_active && !standing.is_deleted)
}

async fn repeat(
    writing: &mut Writing,
    job: &WebhookJob,
    at: Moment,
) -> Result<WebhookJobId, Fault> {
    let webhook_id = WebhookId::new(at, writing.shared.random());
    let webhook_id = Uuid::from_bytes(*webhook_id.as_bytes());
    let params: Params = &[&job.id.0, &webhook_id, &at.microseconds()];
    let id = one(&writing.connection, REPEAT, params, |row| {
        Ok(WebhookJobId(row.try_get(0)?))
    });
    let id = id.await?;
    writing.tally.add(JobState::Pending, 1);
    id.ok_or(Fault::Raced)
}

/// A job that was just made by hand, told to the audit trail.
pub(crate) async fn tell_made(
    connection: &Connection,
    id: WebhookJobId,
    action: &'static str,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let job = reread(connection, id).await?;
    write_event(connection, change, action, None, &job).await?;
    Ok(job)
}

/// Withdraws a waiting job, or marks it if it is in flight at this moment.
pub(super) async fn cancel(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookJobId,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let before = find(&writing.connection, integration_id, id).await?;
    if before.state.is_final() {
        let message = format!("is already {}", before.state.name());
        return Err(Fault::refused("id", message));
    }
    let sub = before.webhook_out_sub_id;
    let withdrawal = writing.withdraw(sub, id).await?;
    let connection = &writing.connection;
    if withdrawal == Withdrawal::Withdrawn {
        ending::end(connection, &[id], JobState::Canceled, change.at).await?;
        writing.tally.add(JobState::Canceled, 1);
    } else {
        connection.execute(REQUEST_CANCEL, &[&id.0]).await?;
    }
    let after = reread(connection, id).await?;
    write_event(connection, change, "cancel", Some(&before), &after).await?;
    let standing = standing(connection, id).await?;
    if withdrawal == Withdrawal::Withdrawn && standing.is_ordered {
        let group = release::group_of(sub, before.order_id, standing.ordering);
        let groups = group.map(|group| (group, change.at));
        release::release_next(writing, groups.into_iter().collect()).await?;
    }
    Ok(after)
}

/// The job as it is, which nobody else changes until this transaction ends.
async fn find(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookJobId,
) -> Result<WebhookJob, Fault> {
    connection.query(LOCK, &[&id.0]).await?;
    let found = of_integration(connection, integration_id, id).await?;
    found.ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))
}

async fn reread(connection: &Connection, id: WebhookJobId) -> Result<WebhookJob, Fault> {
    let found = read_job(connection, id).await?;
    found.ok_or_else(|| Fault::corrupt("webhook_jobs", id.0, "is gone"))
}

async fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&WebhookJob>,
    after: &WebhookJob,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: Some(after.integration_id),
        noun: "webhook_job",
        record_id: after.id.0,
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event).await
}
