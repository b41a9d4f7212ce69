//! What the delivery engine takes: the jobs that are due.

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use store::{DueJobs, ReadyJob};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::accept::Body;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, moment, moment_if_any, number, one};

macro_rules! ready_columns {
    () => {
        "select j.id, j.webhook_out_sub_id, j.order_id, j.sequence, j.webhook_id, j.attempts, \
         j.job_faults, j.first_attempt_clock, j.created_at, j.next_attempt_at, p.body, j.test \
         from webhook_jobs_waiting j join payloads p on p.id = j.payload_id "
    };
}

// primary keys
pub(crate) const READY_JOBS: &str = concat!(
    ready_columns!(),
    "where j.id = any($1) and j.next_attempt_at is not null order by j.id"
);
// webhook_jobs_due, primary key of payloads
pub(crate) const DUE_JOBS: &str = concat!(
    ready_columns!(),
    "where j.webhook_out_sub_id = $1 and j.next_attempt_at <= $2 \
     and j.next_attempt_at is not null order by j.next_attempt_at, j.id limit $3"
);
// webhook_jobs_waiting_by_subscriber, primary key of payloads
pub(crate) const OLDEST_JOB: &str = concat!(
    ready_columns!(),
    "where j.webhook_out_sub_id = $1 order by j.id limit 1"
);
// webhook_jobs_due
pub(crate) const NEXT_DUE_AT: &str = "select min(next_attempt_at) as next_due_at from webhook_jobs_waiting \
     where webhook_out_sub_id = $1 and next_attempt_at > $2 and next_attempt_at is not null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[READY_JOBS, DUE_JOBS, OLDEST_JOB, NEXT_DUE_AT];

/// Up to `limit` jobs of a lane that are due at `now`.
pub(crate) async fn due_jobs(
    connection: &Connection,
    lane: WebhookOutSubId,
    now: Moment,
    limit: usize,
) -> Result<DueJobs, Fault> {
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let params: Params = &[&lane.0, &now.microseconds(), &one_more];
    let mut jobs = all(connection, DUE_JOBS, params, read).await?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let mut next_due_at = None;
    if !more {
        let params: Params = &[&lane.0, &now.microseconds()];
        let next = one(connection, NEXT_DUE_AT, params, |row| {
            moment_if_any(row, "next_due_at")
        });
        next_due_at = next.await?.flatten();
    }
    Ok(DueJobs {
        jobs,
        more,
        next_due_at,
    })
}

/// The oldest waiting job of a lane.
pub(crate) async fn oldest_job(
    connection: &Connection,
    lane: WebhookOutSubId,
) -> Result<Option<ReadyJob>, Fault> {
    one(connection, OLDEST_JOB, &[&lane.0], read).await
}

/// Those of these jobs that may be started.
pub(crate) async fn ready_jobs(
    connection: &Connection,
    ids: &[i64],
) -> Result<Vec<ReadyJob>, Fault> {
    all(connection, READY_JOBS, &[&ids], read).await
}

fn read(row: &Row) -> Result<ReadyJob, Fault> {
    let created_at = moment(row, "created_at")?;
    let order_id: Option<i64> = row.try_get("order_id")?;
    let webhook_id: Uuid = row.try_get("webhook_id")?;
    Ok(ReadyJob {
        id: WebhookJobId(row.try_get("id")?),
        webhook_out_sub_id: WebhookOutSubId(row.try_get("webhook_out_sub_id")?),
        order_id: order_id.map(OrderId),
        sequence: row.try_get("sequence")?,
        webhook_id: WebhookId::from_bytes(webhook_id.into_bytes()),
        attempts: number(row, "attempts")?,
        job_faults: number(row, "job_faults")?,
        first_attempt_clock: row.try_get("first_attempt_clock")?,
        created_at,
        // The oldest waiting job is never held, so a lane never sees this default.
        due_at: moment_if_any(row, "next_attempt_at")?.unwrap_or(created_at),
        payload: row.try_get::<_, Body>("body")?.0.into(),
        test: row.try_get("test")?,
    })
}
