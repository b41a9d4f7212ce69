//! One step of a recovery: some jobs or changes, in one transaction that also keeps how far it has come.

use domain::id::{IntegrationId, RecoveryId};
use domain::recovery::{Recovery, RecoveryKind, RecoveryState};
use domain::time::Moment;
use futures_util::FutureExt;
use store::rules::recoveries::{Kept, LooksAt, page};
use store::{Count, ListQuery, RecoveryWork, Step};

use super::make::make;
use super::mend::mend;
use super::retry::retry;
use super::{LOCK, end, read};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{ListPlan, one};
use crate::writing::Writing;
use crate::{locks, order_stages, webhook_jobs, webhook_out_subs};

// primary key
pub(crate) const WORK: &str = "select work, looked_at_id, last_id from recoveries where id = $1";
// primary key
pub(crate) const PUT: &str = "update recoveries set looked_at_id = $2, looked_at = looked_at + $3, made = made + $4, \
     updated_at = $5 where id = $1";

/// Takes the next step; see [`store::Recoveries::step_recovery`].
pub(super) async fn step(
    writing: &mut Writing,
    id: RecoveryId,
    limit: u32,
    now: Moment,
) -> Result<Step, Fault> {
    let connection = &writing.connection;
    let found = one(connection, LOCK, &[&id.0], read).await?;
    let recovery = found.ok_or_else(|| Fault::corrupt("recoveries", id.0, "is gone"))?;
    let nothing = |goes_on| Step {
        looked_at: 0,
        made: 0,
        unpaced: false,
        goes_on,
    };
    if recovery.finished_at.is_some() {
        return Ok(nothing(false));
    }
    if recovery.kind == RecoveryKind::CatchUp {
        // No change is under way that could be missed when this is the last step.
        locks::hold_subscriptions(connection, recovery.integration_id).await?;
    }
    if let Some(sub) = recovery.webhook_out_sub_id {
        match webhook_out_subs::of_id(connection, sub.0).await? {
            None => {
                end(connection, &recovery, RecoveryState::Canceled, now).await?;
                return Ok(nothing(false));
            }
            // It goes on when somebody has switched the subscription on.
            Some(sub) if !sub.active => return Ok(nothing(true)),
            Some(_) => {}
        }
    }
    go_on(writing, &recovery, limit, now).await
}

async fn go_on(
    writing: &mut Writing,
    recovery: &Recovery,
    limit: u32,
    now: Moment,
) -> Result<Step, Fault> {
    let id = recovery.id.map_or(0, |id| id.0);
    let kept = one(&writing.connection, WORK, &[&id], |row| {
        Ok(Kept {
            work: serde_json::from_str(row.try_get(0)?)?,
            after: row.try_get(1)?,
            last: row.try_get::<_, Option<i64>>(2)?.unwrap_or(i64::MAX),
        })
    })
    .await?;
    let kept = kept.ok_or_else(|| Fault::corrupt("recoveries", id, "is gone"))?;
    let looks_at = kept.work.looks_at(recovery.integration_id);
    let mut plan = plan(&writing.connection, &looks_at).await?;
    let is_catching_up = matches!(kept.work, RecoveryWork::CatchUp { .. });
    if !is_catching_up {
        plan.ids.end = plan.ids.end.min(kept.last.saturating_add(1));
    }
    let limit = limit as usize;
    let came = match &kept.work {
        RecoveryWork::Retry { rerender, .. } => {
            retry(writing, &plan, &kept, *rerender, limit, now).await?
        }
        RecoveryWork::Replay { .. } | RecoveryWork::CatchUp { .. } => {
            make(writing, recovery, &plan, &kept, limit, now).await?
        }
        RecoveryWork::Mend { missing, sleeping } => mend(writing, missing, sleeping, now).await?,
    };
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let to = came.to.unwrap_or(kept.after);
    let params: Params = &[
        &id,
        &to,
        &count(came.looked_at),
        &count(came.made),
        &now.microseconds(),
    ];
    writing.connection.execute(PUT, params).await?;
    if !came.goes_on {
        let is_canceled = recovery.state == RecoveryState::Canceling;
        let state = if is_canceled {
            RecoveryState::Canceled
        } else {
            RecoveryState::Finished
        };
        end(&writing.connection, recovery, state, now).await?;
    }
    Ok(Step {
        looked_at: came.looked_at,
        made: came.made,
        unpaced: is_catching_up && to >= kept.last,
        goes_on: came.goes_on,
    })
}

/// How many jobs or changes there are to look at.
pub(super) async fn count(
    connection: &Connection,
    integration: IntegrationId,
    work: &RecoveryWork,
) -> Result<Count, Fault> {
    let looks_at = work.looks_at(integration);
    if let LooksAt::Named { count } = looks_at {
        return Ok(Count {
            count: count as u64,
            capped: false,
        });
    }
    let query = ListQuery {
        count: true,
        ..page(0, 0)
    };
    let plan = plan(connection, &looks_at).await?;
    let page = plan.page(connection, &query, |_, _| {
        std::future::ready(Ok(Vec::<(i64, ())>::new())).boxed()
    });
    let counted = page.await?.count;
    counted.ok_or_else(|| Fault::corrupt("recoveries", 0, "was not counted"))
}

async fn plan(connection: &Connection, looks_at: &LooksAt) -> Result<ListPlan, Fault> {
    match looks_at {
        LooksAt::Jobs(query) => webhook_jobs::plan(connection, query).await,
        LooksAt::Stages(query) => order_stages::plan_all(connection, query).await,
        LooksAt::Named { .. } => Ok(ListPlan::new(Vec::new(), Vec::new())),
    }
}
