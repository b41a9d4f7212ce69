//! Recoveries: begun, shown and stopped here; done step by step in `step`.

use async_trait::async_trait;
use domain::id::{IntegrationId, RecoveryId, WebhookOutSubId};
use domain::recovery::{Recovery, RecoveryKind, RecoveryState};
use domain::time::Moment;
use rusqlite::{Connection, Row, params};
use store::{
    Change, Count, Created, NewRecovery, Recoveries, RecoveryWork, Rejection, Step, StoreError,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{all, moment, moment_if_any, one};
use crate::open::SqliteStore;
use crate::webhook_out_subs::{self, revisions};
use crate::writer::Writing;
use crate::{check, idempotency};

/// Most recoveries of an integration under way at once: each takes its share of the writer.
const RUNNING_MAX: i64 = 10;

mod make;
mod mend;
mod retry;
mod step;

macro_rules! columns {
    () => {
        "select id, integration_id, kind, webhook_out_sub_id, state, per_second, matched, matched_capped, \
         looked_at, made, created_at, updated_at, finished_at from recoveries "
    };
}

// primary key
pub(crate) const BY_ID: &str = concat!(columns!(), "where id = ?1");
// recoveries_running
pub(crate) const RUNNING: &str = concat!(columns!(), "where finished_at is null order by id");
pub(crate) const INSERT: &str = "insert into recoveries (integration_id, kind, work, webhook_out_sub_id, state, per_second, \
     matched, matched_capped, looked_at_id, last_id, looked_at, made, created_at, updated_at) \
     values (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7, 0, ?8, 0, 0, ?9, ?9)";
// primary key
pub(crate) const END: &str =
    "update recoveries set state = ?2, updated_at = ?3, finished_at = ?3 where id = ?1";
// primary key
pub(crate) const LEAVE_MISSED: &str = "update recoveries set state = 'canceling', looked_at_id = max(looked_at_id, last_id), \
     updated_at = ?2 where id = ?1";
// recoveries_running
pub(crate) const COUNT_RUNNING: &str =
    "select count(*) from recoveries where finished_at is null and integration_id = ?1";
// primary key
pub(crate) const CATCH_UP: &str = "update webhook_out_subs set catching_up = ?2 where id = ?1";
// primary keys
pub(crate) const LAST_JOB: &str = "select coalesce(max(id), 0) from webhook_jobs";
pub(crate) const LAST_STAGE: &str = "select coalesce(max(id), 0) from order_stages";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    BY_ID,
    RUNNING,
    INSERT,
    END,
    LEAVE_MISSED,
    COUNT_RUNNING,
    CATCH_UP,
    LAST_JOB,
    LAST_STAGE,
    step::WORK,
    step::PUT,
    make::HAS_JOB,
    make::NEWER_OF_ORDER,
    make::NEWEST_STAGE,
    make::STOOD,
    retry::IS_LATEST,
];

#[async_trait]
impl Recoveries for SqliteStore {
    async fn preview_recovery(&self, new: NewRecovery, now: Moment) -> Result<Recovery, Rejection> {
        let previewed = self.read(move |connection| refused(preview(connection, &new, now)));
        previewed.await?.map_err(Rejection::from)
    }

    async fn begin_recovery(
        &self,
        new: NewRecovery,
        change: Change,
    ) -> Result<Created<Recovery>, Rejection> {
        // Counted on a reader: it may take a while, and is told only.
        let counted = new.clone();
        let matched = self
            .read(move |connection| step::count(connection, counted.integration_id, &counted.work));
        let matched = matched.await?;
        self.write(move |writing| begin(writing, &new, matched, &change))
            .await
    }

    async fn cancel_recovery(
        &self,
        integration_id: IntegrationId,
        id: RecoveryId,
        change: Change,
    ) -> Result<Recovery, Rejection> {
        self.write(move |writing| cancel(writing, integration_id, id, &change))
            .await
    }

    async fn recovery(
        &self,
        integration_id: Option<IntegrationId>,
        id: RecoveryId,
    ) -> Result<Option<Recovery>, StoreError> {
        let found = self.read(move |connection| one(connection, BY_ID, [id.0], read));
        let is_wanted =
            |found: &Recovery| integration_id.is_none_or(|id| id == found.integration_id);
        Ok(found.await?.filter(is_wanted))
    }

    async fn running_recoveries(&self) -> Result<Vec<Recovery>, StoreError> {
        self.read(|connection| all(connection, RUNNING, [], read))
            .await
    }

    async fn step_recovery(
        &self,
        id: RecoveryId,
        limit: u32,
        now: Moment,
    ) -> Result<Step, StoreError> {
        let stepped = self.write(move |writing| step::step(writing, id, limit, now));
        stepped.await.map_err(StoreError::from)
    }
}

/// A refusal is an answer, and no failure of the reader.
fn refused<T>(result: Result<T, Fault>) -> Result<Result<T, Fault>, Fault> {
    match result {
        Err(refused @ Fault::Refused(_)) => Ok(Err(refused)),
        other => other.map(Ok),
    }
}

fn preview(connection: &Connection, new: &NewRecovery, now: Moment) -> Result<Recovery, Fault> {
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

fn cancel(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: RecoveryId,
    change: &Change,
) -> Result<Recovery, Fault> {
    let before = of_integration(&writing.connection, integration_id, id)?
        .ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))?;
    if before.state != RecoveryState::Running {
        let message = format!("is already {}", before.state.name());
        return Err(Fault::refused("id", message));
    }
    if before.kind == RecoveryKind::CatchUp {
        let params = params![id.0, change.at.microseconds()];
        writing
            .connection
            .prepare_cached(LEAVE_MISSED)?
            .execute(params)?;
    } else {
        end(writing, &before, RecoveryState::Canceled, change.at)?;
    }
    let after = reread(&writing.connection, id)?;
    write_event(&writing.connection, change, "cancel", Some(&before), &after)?;
    Ok(after)
}

/// Ends a recovery; a subscription that caught up takes part in new changes from now on.
fn end(
    writing: &mut Writing,
    recovery: &Recovery,
    state: RecoveryState,
    at: Moment,
) -> Result<(), Fault> {
    let id = recovery.id.map(|id| id.0);
    let params = params![id, state.name(), at.microseconds()];
    writing.connection.prepare_cached(END)?.execute(params)?;
    match (recovery.kind, recovery.webhook_out_sub_id) {
        (RecoveryKind::CatchUp, Some(sub)) => {
            catch_up(writing, recovery.integration_id, sub, false, at)
        }
        _ => Ok(()),
    }
}

fn catch_up(
    writing: &mut Writing,
    integration: IntegrationId,
    sub: WebhookOutSubId,
    catches_up: bool,
    at: Moment,
) -> Result<(), Fault> {
    let mut put = writing.connection.prepare_cached(CATCH_UP)?;
    put.execute(params![sub.0, catches_up])?;
    drop(put);
    revisions::keep(writing, integration, sub, at)
}

fn kind(work: &RecoveryWork) -> RecoveryKind {
    match work {
        RecoveryWork::Retry { .. } => RecoveryKind::Retry,
        RecoveryWork::Replay { .. } => RecoveryKind::Replay,
        RecoveryWork::CatchUp { .. } => RecoveryKind::CatchUp,
        RecoveryWork::Mend { .. } => RecoveryKind::Mend,
    }
}

fn sub_of(work: &RecoveryWork) -> Option<WebhookOutSubId> {
    match work {
        RecoveryWork::Retry { .. } | RecoveryWork::Mend { .. } => None,
        RecoveryWork::Replay {
            webhook_out_sub_id, ..
        }
        | RecoveryWork::CatchUp {
            webhook_out_sub_id, ..
        } => Some(*webhook_out_sub_id),
    }
}

fn of_integration(
    connection: &Connection,
    integration_id: IntegrationId,
    id: RecoveryId,
) -> Result<Option<Recovery>, Fault> {
    let found = one(connection, BY_ID, [id.0], read)?;
    Ok(found.filter(|recovery| recovery.integration_id == integration_id))
}

fn reread(connection: &Connection, id: RecoveryId) -> Result<Recovery, Fault> {
    let found = one(connection, BY_ID, [id.0], read)?;
    found.ok_or_else(|| Fault::corrupt("recoveries", id.0, "is gone"))
}

fn read(row: &Row<'_>) -> Result<Recovery, Fault> {
    let id = row.get("id")?;
    let corrupt = |reason: &str| Fault::corrupt("recoveries", id, reason);
    let kind: String = row.get("kind")?;
    let state: String = row.get("state")?;
    let count = |column: &str| -> Result<u64, Fault> {
        u64::try_from(row.get::<_, i64>(column)?).map_err(|_| corrupt("a negative count"))
    };
    let sub: Option<i64> = row.get("webhook_out_sub_id")?;
    Ok(Recovery {
        id: Some(RecoveryId(id)),
        integration_id: IntegrationId(row.get("integration_id")?),
        kind: RecoveryKind::parse(&kind).ok_or_else(|| corrupt("unknown kind"))?,
        webhook_out_sub_id: sub.map(WebhookOutSubId),
        state: RecoveryState::parse(&state).ok_or_else(|| corrupt("unknown state"))?,
        per_second: row.get("per_second")?,
        matched: count("matched")?,
        matched_capped: row.get("matched_capped")?,
        looked_at: count("looked_at")?,
        made: count("made")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
        finished_at: moment_if_any(row, "finished_at")?,
    })
}

fn write_event(
    connection: &Connection,
    change: &Change,
    action: &'static str,
    before: Option<&Recovery>,
    after: &Recovery,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: Some(after.integration_id),
        noun: "recovery",
        record_id: after.id.map_or(0, |id| id.0),
        action,
        before: audit::json_if_any(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event)
}
