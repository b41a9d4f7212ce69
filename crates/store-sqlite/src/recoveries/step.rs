//! One step of a recovery: some jobs or changes, in one transaction that also keeps how far it has come.

use domain::id::{IntegrationId, RecoveryId};
use domain::recovery::{Recovery, RecoveryState};
use domain::time::Moment;
use rusqlite::{Connection, params};
use store::rules::recoveries::{Kept, LooksAt, page};
use store::{Count, ListQuery, RecoveryWork, Step};

use super::make::make;
use super::mend::mend;
use super::retry::retry;
use super::{end, reread};
use crate::fault::Fault;
use crate::list_query::{ListPlan, one};
use crate::writing::Writing;
use crate::{order_stages, webhook_jobs, webhook_out_subs};

// primary key
pub(crate) const WORK: &str = "select work, looked_at_id, last_id from recoveries where id = ?1";
// primary key
pub(crate) const PUT: &str = "update recoveries set looked_at_id = ?2, looked_at = looked_at + ?3, made = made + ?4, \
     updated_at = ?5 where id = ?1";

/// Takes the next step; see [`store::Recoveries::step_recovery`].
pub(super) fn step(
    writing: &mut Writing,
    id: RecoveryId,
    limit: u32,
    now: Moment,
) -> Result<Step, Fault> {
    let recovery = reread(&writing.connection, id)?;
    let nothing = |goes_on| Step {
        looked_at: 0,
        made: 0,
        unpaced: false,
        goes_on,
    };
    if recovery.finished_at.is_some() {
        return Ok(nothing(false));
    }
    if let Some(sub) = recovery.webhook_out_sub_id {
        match webhook_out_subs::of_id(&writing.connection, sub.0)? {
            None => {
                end(writing, &recovery, RecoveryState::Canceled, now)?;
                return Ok(nothing(false));
            }
            // It goes on when somebody has switched the subscription on.
            Some(sub) if !sub.active => return Ok(nothing(true)),
            Some(_) => {}
        }
    }
    go_on(writing, &recovery, limit, now)
}

fn go_on(
    writing: &mut Writing,
    recovery: &Recovery,
    limit: u32,
    now: Moment,
) -> Result<Step, Fault> {
    let id = recovery.id.map_or(0, |id| id.0);
    let kept = one(&writing.connection, WORK, [id], |row| {
        let work: String = row.get(0)?;
        Ok(Kept {
            work: serde_json::from_str(&work)?,
            after: row.get(1)?,
            last: row.get::<_, Option<i64>>(2)?.unwrap_or(i64::MAX),
        })
    })?;
    let kept = kept.ok_or_else(|| Fault::corrupt("recoveries", id, "is gone"))?;
    let looks_at = kept.work.looks_at(recovery.integration_id);
    let mut plan = plan(&writing.connection, &looks_at)?;
    let is_catching_up = matches!(kept.work, RecoveryWork::CatchUp { .. });
    if !is_catching_up {
        plan.ids.end = plan.ids.end.min(kept.last.saturating_add(1));
    }
    let limit = limit as usize;
    let came = match &kept.work {
        RecoveryWork::Retry { rerender, .. } => {
            retry(writing, &plan, &kept, *rerender, limit, now)?
        }
        RecoveryWork::Replay { .. } | RecoveryWork::CatchUp { .. } => {
            make(writing, recovery, &plan, &kept, limit, now)?
        }
        RecoveryWork::Mend { missing, sleeping } => mend(writing, missing, sleeping, now)?,
    };
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let to = came.to.unwrap_or(kept.after);
    writing.connection.prepare_cached(PUT)?.execute(params![
        id,
        to,
        count(came.looked_at),
        count(came.made),
        now.microseconds(),
    ])?;
    if !came.goes_on {
        let is_canceled = recovery.state == RecoveryState::Canceling;
        let state = if is_canceled {
            RecoveryState::Canceled
        } else {
            RecoveryState::Finished
        };
        end(writing, recovery, state, now)?;
    }
    Ok(Step {
        looked_at: came.looked_at,
        made: came.made,
        unpaced: is_catching_up && to >= kept.last,
        goes_on: came.goes_on,
    })
}

/// How many jobs or changes there are to look at.
pub(super) fn count(
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
    let counted = plan(connection, &looks_at)?
        .page(connection, &query, |_, _| Ok(None::<()>))?
        .count;
    counted.ok_or_else(|| Fault::corrupt("recoveries", 0, "was not counted"))
}

fn plan(connection: &Connection, looks_at: &LooksAt) -> Result<ListPlan, Fault> {
    match looks_at {
        LooksAt::Jobs(query) => webhook_jobs::plan(connection, query),
        LooksAt::Stages(query) => order_stages::plan(connection, query),
        LooksAt::Named { .. } => Ok(ListPlan::new(Vec::new(), Vec::new())),
    }
}
