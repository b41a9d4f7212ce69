//! Recoveries: begun, shown and stopped here; done step by step in `step`.

use async_trait::async_trait;
use domain::id::{IntegrationId, RecoveryId, WebhookOutSubId};
use domain::recovery::{Recovery, RecoveryKind, RecoveryState};
use domain::time::Moment;
use rusqlite::{Connection, Row, params};
use store::{Change, Created, NewRecovery, Recoveries, RecoveryWork, Rejection, Step, StoreError};

use crate::audit::{self, AuditEvent};
use crate::check;
use crate::fault::Fault;
use crate::list_query::{all, moment, moment_if_any, one};
use crate::open::SqliteStore;
use crate::webhook_out_subs::revisions;
use crate::writing::Writing;

pub(crate) mod begin;
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
// primary key
pub(crate) const END: &str =
    "update recoveries set state = ?2, updated_at = ?3, finished_at = ?3 where id = ?1";
// primary key
pub(crate) const LEAVE_MISSED: &str = "update recoveries set state = 'canceling', looked_at_id = max(looked_at_id, last_id), \
     updated_at = ?2 where id = ?1";
// primary key
pub(crate) const CATCH_UP: &str = "update webhook_out_subs set catching_up = ?2 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    BY_ID,
    RUNNING,
    END,
    LEAVE_MISSED,
    CATCH_UP,
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
        let previewed =
            self.read(move |connection| begin::refused(begin::preview(connection, &new, now)));
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
        self.write(move |writing| begin::begin(writing, &new, matched, &change))
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
