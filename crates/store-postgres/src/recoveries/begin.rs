//! Beginning a recovery, or telling what it would be.

use domain::id::RecoveryId;
use domain::recovery::{Recovery, RecoveryState};
use domain::time::Moment;
use store::{Change, Count, Created, NewRecovery, RecoveryWork};

use super::{catch_up, kind, reread, step, sub_of, write_event};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::writing::Writing;
use crate::{check, idempotency, locks, webhook_out_subs};

/// Most recoveries of an integration under way at once: each takes its share of the writer.
const RUNNING_MAX: i64 = 10;

pub(crate) const INSERT: &str = "insert into recoveries (integration_id, kind, work, webhook_out_sub_id, state, per_second, \
     matched, matched_capped, looked_at_id, last_id, looked_at, made, created_at, updated_at) \
     values ($1, $2, $3, $4, 'running', $5, $6, $7, 0, $8, 0, 0, $9, $9) returning id";
// recoveries_running
pub(crate) const COUNT_RUNNING: &str =
    "select count(*) from recoveries where finished_at is null and integration_id = $1";
// primary keys
pub(crate) const LAST_JOB: &str = "select coalesce(max(id), 0) from webhook_jobs";
pub(crate) const LAST_STAGE: &str = "select coalesce(max(id), 0) from order_stages";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT, COUNT_RUNNING, LAST_JOB, LAST_STAGE];

pub(super) async fn preview(
    connection: &Connection,
    new: &NewRecovery,
    now: Moment,
) -> Result<Recovery, Fault> {
    refuse_bad(connection, new).await?;
    let matched = step::count(connection, new.integration_id, &new.work).await?;
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

pub(crate) async fn begin(
    writing: &mut Writing,
    new: &NewRecovery,
    matched: Count,
    change: &Change,
) -> Result<Created<Recovery>, Fault> {
    let integration_id = new.integration_id;
    let key = new.idempotency.as_ref();
    if let Some(first) = idempotency::find(writing, integration_id.0, key, change.at).await? {
        return Ok(Created::replayed(first));
    }
    // One after another: how many are under way is counted, and a subscription catches up once at a time.
    locks::hold_subscriptions(&writing.connection, integration_id).await?;
    refuse_bad(&writing.connection, new).await?;
    let catches_up = match &new.work {
        RecoveryWork::CatchUp {
            webhook_out_sub_id, ..
        } => Some(*webhook_out_sub_id),
        _ => None,
    };
    if let Some(sub) = catches_up {
        webhook_out_subs::switch_on(writing, integration_id, sub, change).await?;
    }
    let connection = &writing.connection;
    let id = insert(connection, new, matched, change.at).await?;
    if let Some(sub) = catches_up {
        catch_up(connection, integration_id, sub, true, change.at).await?;
    }
    let begun = reread(connection, id).await?;
    write_event(connection, change, kind(&new.work).name(), None, &begun).await?;
    idempotency::keep(writing, integration_id.0, key, &begun, change.at).await?;
    Ok(Created::fresh(begun))
}

async fn insert(
    connection: &Connection,
    new: &NewRecovery,
    matched: Count,
    at: Moment,
) -> Result<RecoveryId, Fault> {
    let last = match &new.work {
        RecoveryWork::Retry { .. } | RecoveryWork::Mend { .. } => LAST_JOB,
        RecoveryWork::Replay { .. } | RecoveryWork::CatchUp { .. } => LAST_STAGE,
    };
    let last = one(connection, last, &[], |row| Ok(row.try_get(0)?)).await?;
    let last: Option<i64> = last;
    let params: Params = &[
        &new.integration_id.0,
        &kind(&new.work).name(),
        &serde_json::to_string(&new.work)?,
        &sub_of(&new.work).map(|id| id.0),
        &i64::from(new.per_second),
        &i64::try_from(matched.count).unwrap_or(i64::MAX),
        &matched.capped,
        &last,
        &at.microseconds(),
    ];
    let id = one(connection, INSERT, params, |row| {
        Ok(RecoveryId(row.try_get(0)?))
    });
    id.await?.ok_or(Fault::Raced)
}

async fn refuse_bad(connection: &Connection, new: &NewRecovery) -> Result<(), Fault> {
    let of_integration: Params = &[&new.integration_id.0];
    let running = one(connection, COUNT_RUNNING, of_integration, |row| {
        Ok(row.try_get(0)?)
    });
    let running: Option<i64> = running.await?;
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
    let found = webhook_out_subs::of_id(connection, sub.0).await?;
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
