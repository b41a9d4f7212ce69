//! Removing single records with what belongs to them.

use rusqlite::{Connection, Params};
use store::{Removable, Removed};

use crate::fault::Fault;

// primary key
pub(crate) const DELETE_STAGE: &str = "delete from order_stages where id = ?1";
// primary key
pub(crate) const DELETE_ORDER: &str = "delete from orders where id = ?1";
// primary key
pub(crate) const DELETE_JOB: &str = "delete from webhook_jobs where id = ?1";
// primary key
pub(crate) const DELETE_ATTEMPTS: &str = "delete from webhook_attempts where webhook_job_id = ?1";
// primary key; the newest stays, or the next one would have its id, which jobs may still name
pub(crate) const DELETE_PAYLOAD: &str =
    "delete from payloads where id = ?1 and id < (select max(id) from payloads)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    DELETE_STAGE,
    DELETE_ORDER,
    DELETE_JOB,
    DELETE_ATTEMPTS,
    DELETE_PAYLOAD,
];

pub(super) fn stage(connection: &Connection, id: i64, removed: &mut Removed) -> Result<(), Fault> {
    removed.add(
        Removable::OrderStages,
        delete(connection, DELETE_STAGE, [id])?,
    );
    Ok(())
}

pub(super) fn order(connection: &Connection, id: i64, removed: &mut Removed) -> Result<(), Fault> {
    removed.add(Removable::Orders, delete(connection, DELETE_ORDER, [id])?);
    Ok(())
}

/// Removes a job with its attempts.
pub(super) fn job(connection: &Connection, id: i64, removed: &mut Removed) -> Result<(), Fault> {
    let attempts = delete(connection, DELETE_ATTEMPTS, [id])?;
    removed.add(Removable::WebhookAttempts, attempts);
    let jobs = delete(connection, DELETE_JOB, [id])?;
    removed.add(Removable::WebhookJobs, jobs);
    Ok(())
}

/// Removes a payload, if it is there; how many that were.
pub(super) fn payload(connection: &Connection, id: i64) -> Result<usize, Fault> {
    delete(connection, DELETE_PAYLOAD, [id])
}

/// Runs a statement that deletes; how many records that were.
pub(super) fn delete(
    connection: &Connection,
    sql: &str,
    params: impl Params,
) -> Result<usize, Fault> {
    Ok(connection.prepare_cached(sql)?.execute(params)?)
}
