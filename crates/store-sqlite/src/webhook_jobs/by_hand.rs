//! What people do with single jobs: repeat one, withdraw one, start a fresh one.

use domain::id::{IntegrationId, WebhookJobId};
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_job::{JobState, WebhookJob};
use rand::RngExt;
use rusqlite::{Connection, params};
use store::{Change, Withdrawal};

use super::read_job;
use super::rerender;
use super::show::{of_integration, standing};
use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;
use crate::{check, due, release};

// primary key
pub(crate) const HASTEN: &str =
    "update webhook_jobs set next_attempt_at = min(next_attempt_at, ?2) where id = ?1";
// primary key
pub(crate) const REPEAT: &str = "insert into webhook_jobs (integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, \
     payload_id, status, event, webhook_id, state, ordered, attempts, job_faults, next_attempt_at, \
     passed, test, retry_of, cancel_requested, view_failed, created_at, late) \
     select integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, \
     payload_id, status, event, ?2, 'pending', 0, 0, 0, ?3, 0, test, id, 0, view_failed, ?3, 1 \
     from webhook_jobs where id = ?1";
// primary key
pub(crate) const CANCEL: &str = "update webhook_jobs set state = 'canceled', finished_at = ?2, next_attempt_at = null where id = ?1";
// primary key
pub(crate) const REQUEST_CANCEL: &str =
    "update webhook_jobs set cancel_requested = 1 where id = ?1";

// primary key
pub(crate) const IS_HELD: &str = "select next_attempt_at is null from webhook_jobs where id = ?1";
// primary keys
pub(crate) const LEFT: &str = "select exists (select 1 from order_stages where id = j.order_stage_id), \
     exists (select 1 from payloads where id = j.payload_id) from webhook_jobs j where j.id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[HASTEN, REPEAT, CANCEL, REQUEST_CANCEL, IS_HELD, LEFT];

/// Makes a waiting job due now, unless it is held; repeats a final one as a new job outside the ordering.
pub(super) fn retry(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookJobId,
    rerendered: bool,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let before = find(&writing.connection, integration_id, id)?;
    let standing = standing(&writing.connection, id)?;
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
    if let Some(lost) = lost(&writing.connection, &before, rerendered)? {
        return Err(Fault::refused("id", lost));
    }
    let retried = retry_one(writing, &before, rerendered, change.at)?;
    let is_new = retried != before.id;
    let job = reread(&writing.connection, retried)?;
    let told = Some(&before).filter(|_| !is_new);
    write_event(&writing.connection, change, "retry", told, &job)?;
    Ok(job)
}

/// Retries a job whose subscription is active, and tells its lane; the job that is due now.
pub(crate) fn retry_one(
    writing: &mut Writing,
    job: &WebhookJob,
    rerendered: bool,
    at: Moment,
) -> Result<WebhookJobId, Fault> {
    let id = if job.state.is_final() {
        repeat(writing, job, at)?
    } else {
        writing
            .connection
            .prepare_cached(HASTEN)?
            .execute(params![job.id.0, at.microseconds()])?;
        job.id
    };
    if rerendered {
        rerender::rerender(&writing.connection, id)?;
    }
    let ready = due::ready_job(&writing.connection, id)?;
    // A held one is handed over when it is released.
    if !is_held(&writing.connection, id)? {
        writing.ready(ready);
    }
    Ok(id)
}

/// Why a job cannot be repeated: what it would need was removed because of its age. What waits has lost nothing.
pub(crate) fn lost(
    connection: &Connection,
    job: &WebhookJob,
    rerendered: bool,
) -> Result<Option<&'static str>, Fault> {
    if !job.state.is_final() {
        return Ok(None);
    }
    let left = one(connection, LEFT, [job.id.0], |row| {
        Ok((row.get::<_, bool>(0)?, row.get::<_, bool>(1)?))
    })?;
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
pub(crate) fn is_sent(connection: &Connection, id: WebhookJobId) -> Result<bool, Fault> {
    let standing = standing(connection, id)?;
    Ok(standing.is_active && !standing.is_deleted)
}

fn is_held(connection: &Connection, id: WebhookJobId) -> Result<bool, Fault> {
    let held = one(connection, IS_HELD, [id.0], |row| Ok(row.get(0)?))?;
    Ok(held.unwrap_or_default())
}

fn repeat(writing: &mut Writing, job: &WebhookJob, at: Moment) -> Result<WebhookJobId, Fault> {
    let webhook_id = WebhookId::new(at, writing.chance.random());
    writing.connection.prepare_cached(REPEAT)?.execute(params![
        job.id.0,
        webhook_id.as_bytes(),
        at.microseconds(),
    ])?;
    writing.count(1);
    writing.tally.add(JobState::Pending, 1);
    Ok(WebhookJobId(writing.connection.last_insert_rowid()))
}

/// Hands a job that was just made by hand to its lane.
pub(crate) fn start(
    writing: &mut Writing,
    id: WebhookJobId,
    action: &'static str,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let job = reread(&writing.connection, id)?;
    write_event(&writing.connection, change, action, None, &job)?;
    let ready = due::ready_job(&writing.connection, id)?;
    writing.ready(ready);
    writing.count(1);
    writing.tally.add(JobState::Pending, 1);
    Ok(job)
}

/// Withdraws a waiting job, or marks it if it is in flight at this moment.
pub(super) fn cancel(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookJobId,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let before = find(&writing.connection, integration_id, id)?;
    if before.state.is_final() {
        let message = format!("is already {}", before.state.name());
        return Err(Fault::refused("id", message));
    }
    let withdrawal = writing.owner.withdraw(before.webhook_out_sub_id, id);
    if withdrawal == Withdrawal::Withdrawn {
        writing.withdrawn(id);
        writing.tally.add(JobState::Canceled, 1);
    }
    let connection = &writing.connection;
    match withdrawal {
        Withdrawal::InFlight => connection.prepare_cached(REQUEST_CANCEL)?.execute([id.0])?,
        Withdrawal::Withdrawn => connection
            .prepare_cached(CANCEL)?
            .execute(params![id.0, change.at.microseconds()])?,
    };
    let after = reread(connection, id)?;
    write_event(connection, change, "cancel", Some(&before), &after)?;
    let standing = standing(connection, id)?;
    if withdrawal == Withdrawal::Withdrawn && standing.is_ordered {
        let sub = before.webhook_out_sub_id;
        release::release_next(writing, sub, before.order_id, standing.ordering, change.at)?;
    }
    Ok(after)
}

fn find(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookJobId,
) -> Result<WebhookJob, Fault> {
    of_integration(connection, integration_id, id)?
        .ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))
}

fn reread(connection: &Connection, id: WebhookJobId) -> Result<WebhookJob, Fault> {
    read_job(connection, id)?.ok_or_else(|| Fault::corrupt("webhook_jobs", id.0, "is gone"))
}

fn write_event(
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
    audit::write(connection, change, event)
}
