//! Removing single records with what belongs to them.

use store::{Removable, Removed};

use crate::connection::{Connection, Params};
use crate::fault::Fault;

// primary key
pub(crate) const DELETE_STAGE: &str = "delete from order_stages where id = $1";
// primary key
pub(crate) const DELETE_ORDER: &str = "delete from orders where id = $1";
// primary key
pub(crate) const DELETE_JOB: &str = "delete from webhook_jobs_final where id = $1";
// primary key
pub(crate) const DELETE_ATTEMPTS: &str = "delete from webhook_attempts where webhook_job_id = $1";
// primary key
pub(crate) const DELETE_PAYLOAD: &str = "delete from payloads where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    DELETE_STAGE,
    DELETE_ORDER,
    DELETE_JOB,
    DELETE_ATTEMPTS,
    DELETE_PAYLOAD,
];

pub(super) async fn stage(
    connection: &Connection,
    id: i64,
    removed: &mut Removed,
) -> Result<(), Fault> {
    let count = delete(connection, DELETE_STAGE, &[&id]).await?;
    removed.add(Removable::OrderStages, count);
    Ok(())
}

pub(super) async fn order(
    connection: &Connection,
    id: i64,
    removed: &mut Removed,
) -> Result<(), Fault> {
    let count = delete(connection, DELETE_ORDER, &[&id]).await?;
    removed.add(Removable::Orders, count);
    Ok(())
}

/// Removes a job with its attempts.
pub(super) async fn job(
    connection: &Connection,
    id: i64,
    removed: &mut Removed,
) -> Result<(), Fault> {
    let attempts = delete(connection, DELETE_ATTEMPTS, &[&id]).await?;
    removed.add(Removable::WebhookAttempts, attempts);
    let jobs = delete(connection, DELETE_JOB, &[&id]).await?;
    removed.add(Removable::WebhookJobs, jobs);
    Ok(())
}

/// Removes a payload, if it is there; how many that were.
pub(super) async fn payload(connection: &Connection, id: i64) -> Result<usize, Fault> {
    delete(connection, DELETE_PAYLOAD, &[&id]).await
}

/// Runs a statement that deletes; how many records that were.
pub(super) async fn delete(
    connection: &Connection,
    sql: &str,
    params: Params<'_>,
) -> Result<usize, Fault> {
    let count = connection.execute(sql, params).await?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}
