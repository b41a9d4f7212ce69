//! Beginning a recovery, or telling what it would be.

use domain::id::RecoveryId;
use domain::recovery::{Recovery, RecoveryState};
use domain::time::Moment;
use rusqlite::{Connection, params};
use store::{Change, Count, Created, NewRecovery, RecoveryWork};

use super::{catch_up, kind, reread, step, sub_of, write_event};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;
use crate::{check, idempotency, webhook_out_subs};

/// Most recoveries of an integration under way at once: each takes its share of the writer.
const RUNNING_MAX: i64 = 10;

pub(crate) const INSERT: &str = "insert into recoveries (integration_id, kind, work, webhook_out_sub_id, state, per_second, \
     matched, matched_capped, looked_at_id, last_id, looked_at, made, created_at, updated_at) \
     values (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7, 0, ?8, 0, 0, ?9, ?9)";
// recoveries_running
pub(crate) const COUNT_RUNNING: &str =
    "select count(*) from recoveries where finished_at is null and integration_id = ?1";
// primary keys
pub(crate) const LAST_JOB: &str = "select coalesce(max(id), 0) from webhook_jobs";
pub(crate) const LAST_STAGE: &str = "select coalesce(max(id), 0) from order_stages";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT, COUNT_RUNNING, LAST_JOB, LAST_STAGE];

/// A refusal is an answer, and no failure of the reader.
pub(super) fn refused<T>(result: Result<T, Fault>) -> Result<Result<T, Fault>, Fault> {
    match result {
        Err(refused @ Fault::Refused(_)) => Ok(Err(refused)),
        other => other.map(Ok),
    }
}

pub(super) fn preview(
    connection: &Connection,
    new: &NewRecovery,
    now: Moment,
) -> Result<Recovery, Fault> {
    refuse_bad(connection, new)?;
    let matched = step::count(connection, new.integration_id, &new.work)?;
    Ok(Recovery {
        id: None,
        integration_id: new.integration_id,
        kind: kind(&new.work),
        webhook_out_sub_id: sub_of(&new.work),
        state: RecoveryState::Preview,
        per_second: new.per_second,
        matched: matched.count,
        matched_capped: matched.capped,
        looked_at: 0,
        made: 0,
        created_at: now,
        updated_at: now,
        finished_at: None,
    })
}

pub(crate) fn begin(
    writing: &mut Writing,
    new: &NewRecovery,
    matched: Count,
    change: &Change,
) -> Result<Created<Recovery>, Fault> {
    let integration_id = new.integration_id;
    if let Some(idempotency) = &new.idempotency
        && let Some(first) = idempotency::find(writing, integration_id.0, idempotency, change.at)?
    {
        return Ok(Created::replayed(first));
    }
    refuse_bad(&writing.connection, new)?;
    if let RecoveryWork::CatchUp {
        webhook_out_sub_id, ..
    } = &new.work
    {
        webhook_out_subs::switch_on(writing, integration_id, *webhook_out_sub_id, change)?;
    }
    let id = insert(&writing.connection, new, matched, change.at)?;
    if let RecoveryWork::CatchUp {
        webhook_out_sub_id, ..
    } = &new.work
    {
        catch_up(
            writing,
            integration_id,
            *webhook_out_sub_id,
            true,
            change.at,
        )?;
    }
    let begun = reread(&writing.connection, id)?;
    write_event(
        &writing.connection,
        change,
        kind(&new.work).name(),
        None,
        &begun,
    )?;
    if let Some(idempotency) = &new.idempotency {
        idempotency::keep(writing, integration_id.0, idempotency, &begun, change.at)?;
    }
    Ok(Created::fresh(begun))
}

fn insert(
    connection: &Connection,
    new: &NewRecovery,
    matched: Count,
    at: Moment,
) -> Result<RecoveryId, Fault> {
    let last = match &new.work {
        RecoveryWork::Retry { .. } | RecoveryWork::Mend { .. } => LAST_JOB,
        RecoveryWork::Replay { .. } | RecoveryWork::CatchUp { .. } => LAST_STAGE,
    };
    let last: Option<i64> = one(connection, last, [], |row| Ok(row.get(0)?))?;
    connection.prepare_cached(INSERT)?.execute(params![
        new.integration_id.0,
        kind(&new.work).name(),
        serde_json::to_string(&new.work)?,
        sub_of(&new.work).map(|id| id.0),
        new.per_second,
        i64::try_from(matched.count).unwrap_or(i64::MAX),
        matched.capped,
        last,
        at.microseconds(),
    ])?;
    Ok(RecoveryId(connection.last_insert_rowid()))
}

fn refuse_bad(connection: &Connection, new: &NewRecovery) -> Result<(), Fault> {
    let running: Option<i64> = one(connection, COUNT_RUNNING, [new.integration_id.0], |row| {
        Ok(row.get(0)?)
    })?;
    let is_mending = matches!(new.work, RecoveryWork::Mend { .. });
    if running >= Some(RUNNING_MAX) && !is_mending {
        let message = format!(
            "has {RUNNING_MAX} recoveries under way, which is the most; wait for one to end"
        );
        return Err(Fault::refused("integration_id", message));
    }
    let Some(sub) = sub_of(&new.work) else {
        return Ok(());
    };
    let attr = match new.work {
        RecoveryWork::CatchUp { .. } => "id",
        _ => "webhook_out_sub_id",
    };
    let found = webhook_out_subs::of_id(connection, sub.0)?;
    let Some(found) = found.filter(|sub| sub.integration_id == new.integration_id) else {
        return Err(Fault::refused(attr, check::NOT_IN_INTEGRATION));
    };
    let is_switched_on = matches!(new.work, RecoveryWork::CatchUp { .. });
    if !found.active && !is_switched_on {
        return Err(Fault::refused(attr, "is not active; switch it on first"));
    }
    if found.catching_up && is_switched_on {
        let message =
            "catches up already; cancel that with webhook_jobs/retry_many, or wait for its end";
        return Err(Fault::refused("since", message));
    }
    Ok(())
}
