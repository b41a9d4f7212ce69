//! One step of a recovery: some jobs or changes, in one transaction that also keeps how far it has come.

use domain::id::{IntegrationId, RecoveryId};
use domain::recovery::{Recovery, RecoveryKind, RecoveryState};
use domain::time::Moment;
use futures_util::FutureExt;
use store::{
    Count, Cursor, JobFilter, JobQuery, ListQuery, PageRequest, RecoveryWork, Sort, SortKey,
    StageQuery, Start, Step,
};

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

/// Most jobs or changes that a step looks at: bounds how long it holds up the writer.
pub(super) const LOOK_MAX: u32 = 500;

/// How far a step came.
#[derive(Default)]
pub(super) struct Came {
    /// The last one that was looked at.
    to: Option<i64>,
    pub(super) looked_at: usize,
    pub(super) made: usize,
    /// Whether there is more to look at.
    pub(super) goes_on: bool,
}

impl Came {
    /// Before anything of a page of so many was looked at.
    pub(super) fn of(page: usize) -> Came {
        Came {
            goes_on: page == LOOK_MAX as usize,
            ..Came::default()
        }
    }

    pub(super) fn look_at(&mut self, id: i64) {
        self.to = Some(id);
        self.looked_at += 1;
    }
}

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

/// What a recovery knows of itself beside what it shows.
pub(super) struct Kept {
    pub(super) work: RecoveryWork,
    /// The last one that was looked at.
    pub(super) after: i64,
    /// The last one that there was when it began.
    pub(super) last: i64,
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
    let mut plan = plan(&writing.connection, recovery.integration_id, &kept.work).await?;
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
    if let RecoveryWork::Mend { missing, sleeping } = work {
        return Ok(Count {
            count: (missing.len() + sleeping.len()) as u64,
            capped: false,
        });
    }
    let query = ListQuery {
        count: true,
        ..page(0, 0)
    };
    let plan = plan(connection, integration, work).await?;
    let page = plan.page(connection, &query, |_, _| {
        std::future::ready(Ok(Vec::<(i64, ())>::new())).boxed()
    });
    let counted = page.await?.count;
    counted.ok_or_else(|| Fault::corrupt("recoveries", 0, "was not counted"))
}

async fn plan(
    connection: &Connection,
    integration_id: IntegrationId,
    work: &RecoveryWork,
) -> Result<ListPlan, Fault> {
    let stages = |from, until| StageQuery {
        integration_id,
        order_ids: Vec::new(),
        stages: Vec::new(),
        event_slugs: Vec::new(),
        created_from: from,
        created_until: until,
        list: page(0, 0),
    };
    match work {
        RecoveryWork::Retry { filter, .. } => jobs(connection, integration_id, filter).await,
        RecoveryWork::Replay { from, until, .. } => {
            order_stages::plan_all(connection, &stages(*from, *until)).await
        }
        RecoveryWork::CatchUp { since, .. } => {
            order_stages::plan_all(connection, &stages(Some(*since), None)).await
        }
        // It knows what it looks at.
        RecoveryWork::Mend { .. } => Ok(ListPlan::new(Vec::new(), Vec::new())),
    }
}

async fn jobs(
    connection: &Connection,
    integration_id: IntegrationId,
    filter: &JobFilter,
) -> Result<ListPlan, Fault> {
    let query = JobQuery {
        integration_id,
        filter: filter.clone(),
        delivering: Vec::new(),
        list: page(0, 0),
    };
    webhook_jobs::plan(connection, &query).await
}

/// The oldest ones behind an id.
pub(super) fn page(after: i64, size: u32) -> ListQuery {
    let cursor = Cursor {
        by: "id".to_owned(),
        descending: false,
        value: SortKey::Integer(after),
        id: after,
    };
    ListQuery {
        search: None,
        sort: Sort {
            by: "id",
            descending: false,
        },
        page: PageRequest {
            size,
            start: Start::After(cursor),
        },
        count: false,
    }
}
