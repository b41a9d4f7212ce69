//! Recoveries: begun, shown and stopped here; done step by step in `step`.
//!
//! Each is worked on by one node, which keeps its pace; another goes on when that node's lease has ended.

use async_trait::async_trait;
use domain::id::{IntegrationId, RecoveryId, WebhookOutSubId};
use domain::recovery::{Recovery, RecoveryKind, RecoveryState};
use domain::time::Moment;
use futures_util::FutureExt;
use store::{Change, Created, NewRecovery, Recoveries, RecoveryWork, Rejection, Step, StoreError};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, moment, moment_if_any, number, one};
use crate::open::PostgresStore;
use crate::webhook_out_subs::revisions;
use crate::writing::Writing;
use crate::{check, locks};

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
pub(crate) const BY_ID: &str = concat!(columns!(), "where id = $1");
// primary key; steps of one recovery are taken one after another
pub(crate) const LOCK: &str = concat!(columns!(), "where id = $1 for update");
// recoveries_running
pub(crate) const CLAIM: &str = "update recoveries r set node_id = $1 where finished_at is null and node_id is distinct from $1 \
     and not exists (select 1 from nodes n where n.id = r.node_id and n.lease_until > now())";
// recoveries_running
pub(crate) const RUNNING: &str = concat!(
    columns!(),
    "where finished_at is null and ($1::bigint is null or node_id = $1) order by id"
);
// primary key
pub(crate) const END: &str =
    "update recoveries set state = $2, updated_at = $3, finished_at = $3 where id = $1";
// primary key
pub(crate) const LEAVE_MISSED: &str = "update recoveries set state = 'canceling', looked_at_id = greatest(looked_at_id, last_id), \
     updated_at = $2 where id = $1";
// primary key
pub(crate) const CATCH_UP: &str = "update webhook_out_subs set catching_up = $2 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[
        BY_ID,
        LOCK,
        CLAIM,
        RUNNING,
        END,
        LEAVE_MISSED,
        CATCH_UP,
        step::WORK,
        step::PUT,
        retry::IS_LATEST,
    ],
    begin::STATEMENTS,
    make::STATEMENTS,
];

#[async_trait]
impl Recoveries for PostgresStore {
    async fn preview_recovery(&self, new: NewRecovery, now: Moment) -> Result<Recovery, Rejection> {
        let connection = self.connection().await?;
        Ok(begin::preview(&connection, &new, now).await?)
    }

    async fn begin_recovery(
        &self,
        new: NewRecovery,
        change: Change,
    ) -> Result<Created<Recovery>, Rejection> {
        // Counted before: it may take a while, and is told only.
        let matched = {
            let connection = self.connection().await?;
            step::count(&connection, new.integration_id, &new.work).await?
        };
        self.write((new, matched, change), |writing, (new, matched, change)| {
            begin::begin(writing, new, *matched, change).boxed()
        })
        .await
    }

    async fn cancel_recovery(
        &self,
        integration_id: IntegrationId,
        id: RecoveryId,
        change: Change,
    ) -> Result<Recovery, Rejection> {
        let asked = (integration_id, id, change);
        self.write(asked, |writing, (integration_id, id, change)| {
            cancel(writing, *integration_id, *id, change).boxed()
        })
        .await
    }

    async fn recovery(
        &self,
        integration_id: Option<IntegrationId>,
        id: RecoveryId,
    ) -> Result<Option<Recovery>, StoreError> {
        let connection = self.connection().await?;
        let found = one(&connection, BY_ID, &[&id.0], read).await?;
        let is_wanted =
            |found: &Recovery| integration_id.is_none_or(|id| id == found.integration_id);
        Ok(found.filter(is_wanted))
    }

    async fn running_recoveries(&self) -> Result<Vec<Recovery>, StoreError> {
        let connection = self.connection().await?;
        let node = self.shared.lanes.node();
        if node.is_some() {
            connection.execute(CLAIM, &[&node]).await?;
        }
        Ok(all(&connection, RUNNING, &[&node], read).await?)
    }

    async fn step_recovery(
        &self,
        id: RecoveryId,
        limit: u32,
        now: Moment,
    ) -> Result<Step, StoreError> {
        let stepped = self.write((id, limit, now), |writing, (id, limit, now)| {
            step::step(writing, *id, *limit, *now).boxed()
        });
        stepped.await.map_err(StoreError::from)
    }
}

async fn cancel(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: RecoveryId,
    change: &Change,
) -> Result<Recovery, Fault> {
    let connection = &writing.connection;
    let before = one(connection, LOCK, &[&id.0], read).await?;
    let before = before
        .filter(|recovery| recovery.integration_id == integration_id)
        .ok_or_else(|| Fault::refused("id", check::NOT_IN_INTEGRATION))?;
    if before.state != RecoveryState::Running {
        let message = format!("is already {}", before.state.name());
        return Err(Fault::refused("id", message));
    }
    if before.kind == RecoveryKind::CatchUp {
        let at = change.at.microseconds();
        connection.execute(LEAVE_MISSED, &[&id.0, &at]).await?;
    } else {
        end(connection, &before, RecoveryState::Canceled, change.at).await?;
    }
    let after = reread(connection, id).await?;
    write_event(connection, change, "cancel", Some(&before), &after).await?;
    Ok(after)
}

/// Ends a recovery; a subscription that caught up takes part in new changes from now on.
async fn end(
    connection: &Connection,
    recovery: &Recovery,
    state: RecoveryState,
    at: Moment,
) -> Result<(), Fault> {
    let id = recovery.id.map(|id| id.0);
    let params: Params = &[&id, &state.name(), &at.microseconds()];
    connection.execute(END, params).await?;
    match (recovery.kind, recovery.webhook_out_sub_id) {
        (RecoveryKind::CatchUp, Some(sub)) => {
            catch_up(connection, recovery.integration_id, sub, false, at).await
        }
        _ => Ok(()),
    }
}

async fn catch_up(
    connection: &Connection,
    integration: IntegrationId,
    sub: WebhookOutSubId,
    catches_up: bool,
    at: Moment,
) -> Result<(), Fault> {
    locks::hold_subscriptions(connection, integration).await?;
    connection.execute(CATCH_UP, &[&sub.0, &catches_up]).await?;
    revisions::keep(connection, integration, sub, at).await
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

async fn reread(connection: &Connection, id: RecoveryId) -> Result<Recovery, Fault> {
    let found = one(connection, BY_ID, &[&id.0], read).await?;
    found.ok_or_else(|| Fault::corrupt("recoveries", id.0, "is gone"))
}

fn read(row: &Row) -> Result<Recovery, Fault> {
    let id = row.try_get("id")?;
    let corrupt = |reason: &str| Fault::corrupt("recoveries", id, reason);
    let kind = RecoveryKind::parse(row.try_get("kind")?);
    let state = RecoveryState::parse(row.try_get("state")?);
    let count = |column: &str| -> Result<u64, Fault> {
        u64::try_from(row.try_get::<_, i64>(column)?).map_err(|_| corrupt("a negative count"))
    };
    let sub: Option<i64> = row.try_get("webhook_out_sub_id")?;
    Ok(Recovery {
        id: Some(RecoveryId(id)),
        integration_id: IntegrationId(row.try_get("integration_id")?),
        kind: kind.ok_or_else(|| corrupt("unknown kind"))?,
        webhook_out_sub_id: sub.map(WebhookOutSubId),
        state: state.ok_or_else(|| corrupt("unknown state"))?,
        per_second: number(row, "per_second")?,
        matched: count("matched")?,
        matched_capped: row.try_get("matched_capped")?,
        looked_at: count("looked_at")?,
        made: count("made")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
        finished_at: moment_if_any(row, "finished_at")?,
    })
}

async fn write_event(
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
    audit::write(connection, change, event).await
}
