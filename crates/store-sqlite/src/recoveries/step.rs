//! One step of a recovery: some jobs or changes, in one transaction that also keeps how far it has come.

use domain::id::{IntegrationId, RecoveryId, WebhookJobId};
use domain::match_trace::Filtering;
use domain::matching::Triggers;
use domain::order::OrderStage;
use domain::payload::StageFacts;
use domain::payload::template::filter::Filter;
use domain::recovery::{Recovery, RecoveryState};
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, WebhookOutSub};
use rusqlite::{Connection, params};
use store::{
    Count, Cursor, JobFilter, JobQuery, ListQuery, PageRequest, RecoveryWork, Sort, SortKey,
    StageQuery, Start, Step,
};

use super::mend::mend;
use super::{end, reread};
use crate::accept::{Recipient, add_job};
use crate::fault::Fault;
use crate::list_query::{ListPlan, one};
use crate::match_trace::decide;
use crate::order_stages;
use crate::webhook_jobs::{self, rerender};
use crate::webhook_out_subs;
use crate::writer::Writing;

// primary key
pub(crate) const WORK: &str = "select work, looked_at_id, last_id from recoveries where id = ?1";
// primary key
pub(crate) const PUT: &str = "update recoveries set looked_at_id = ?2, looked_at = looked_at + ?3, made = made + ?4, \
     updated_at = ?5 where id = ?1";
// webhook_jobs_by_order
pub(crate) const HAS_JOB: &str = "select 1 from webhook_jobs where order_id = ?1 and order_id is not null and order_stage_id = ?2 \
     and webhook_out_sub_id = ?3 limit 1";

/// How far a step came.
#[derive(Default)]
pub(super) struct Came {
    /// The last one that was looked at.
    to: Option<i64>,
    pub(super) looked_at: usize,
    pub(super) made: usize,
}

/// Takes the next step; see [`store::Recoveries::step_recovery`].
pub(super) fn step(
    writing: &mut Writing,
    id: RecoveryId,
    limit: u32,
    now: Moment,
) -> Result<Step, Fault> {
    let recovery = reread(&writing.connection, id)?;
    let over = Step {
        looked_at: 0,
        goes_on: false,
    };
    if recovery.state != RecoveryState::Running {
        return Ok(over);
    }
    if let Some(sub) = recovery.webhook_out_sub_id {
        match webhook_out_subs::of_id(&writing.connection, sub.0)? {
            None => {
                end(writing, &recovery, RecoveryState::Canceled, now)?;
                return Ok(over);
            }
            // It goes on when somebody has switched the subscription on.
            Some(sub) if !sub.active => {
                return Ok(Step {
                    looked_at: 0,
                    goes_on: true,
                });
            }
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
    let id = recovery.id.map(|id| id.0);
    let kept = one(&writing.connection, WORK, [id], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
    })?;
    let (work, after, last): (_, i64, Option<i64>) = kept.unwrap_or_default();
    let work: RecoveryWork = serde_json::from_str(&work)?;
    let mut plan = plan(&writing.connection, recovery.integration_id, &work)?;
    plan.ids.end = last.map_or(i64::MAX, |last| last.saturating_add(1));
    let page = page(after, limit);
    let came = match &work {
        RecoveryWork::Retry { rerender, .. } => retry(writing, &plan, &page, *rerender, now)?,
        RecoveryWork::Replay { .. } => make(writing, recovery, &plan, &page, false, now)?,
        RecoveryWork::CatchUp { .. } => make(writing, recovery, &plan, &page, true, now)?,
        RecoveryWork::Mend { missing, sleeping } => mend(writing, missing, sleeping, now)?,
    };
    let is_whole = matches!(work, RecoveryWork::Mend { .. });
    let goes_on = !is_whole && came.looked_at == limit as usize;
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    writing.connection.prepare_cached(PUT)?.execute(params![
        id,
        came.to.unwrap_or(after),
        count(came.looked_at),
        count(came.made),
        now.microseconds(),
    ])?;
    if !goes_on {
        end(writing, recovery, RecoveryState::Finished, now)?;
    }
    Ok(Step {
        looked_at: came.looked_at,
        goes_on,
    })
}

fn retry(
    writing: &mut Writing,
    plan: &ListPlan,
    page: &ListQuery,
    rerender: bool,
    now: Moment,
) -> Result<Came, Fault> {
    let jobs = plan.page(&writing.connection, page, |connection, id| {
        webhook_jobs::read_job(connection, WebhookJobId(id))
    })?;
    let mut came = Came::default();
    for job in jobs.items {
        came.to = Some(job.id.0);
        came.looked_at += 1;
        // What nobody would send is left as it is.
        if webhook_jobs::is_sent(&writing.connection, job.id)? {
            let rerender = rerender && job.order_stage_id.is_some();
            webhook_jobs::retry_one(writing, &job, rerender, now)?;
            came.made += 1;
        }
    }
    Ok(came)
}

/// Makes the jobs of changes for a subscription: in its order those that it missed, or outside of that all.
fn make(
    writing: &mut Writing,
    recovery: &Recovery,
    plan: &ListPlan,
    page: &ListQuery,
    missed: bool,
    now: Moment,
) -> Result<Came, Fault> {
    let sub = recovery.webhook_out_sub_id.map_or(0, |id| id.0);
    let sub = webhook_out_subs::of_id(&writing.connection, sub)?
        .ok_or_else(|| Fault::corrupt("webhook_out_subs", sub, "is gone"))?;
    let stages = plan.page(&writing.connection, page, order_stages::of_id)?;
    let triggers = Triggers::new(&sub.statuses, &sub.events);
    let filter = sub.filter.as_deref().map(Filter::compile);
    let mut came = Came::default();
    for stage in stages.items {
        came.to = Some(stage.id.0);
        came.looked_at += 1;
        let status = stage.update_status.then_some(stage.stage.as_str());
        let is_wanted = triggers
            .matches(status, stage.event_slug.as_deref())
            .is_match();
        if !is_wanted || (missed && has_job(&writing.connection, &stage, &sub)?) {
            continue;
        }
        let (order, stage) = rerender::past(&writing.connection, stage.id)?;
        if decide(filter.as_ref(), &StageFacts::of(&order, &stage)) == Filtering::Stopped {
            continue;
        }
        let payload = rerender::render(&writing.connection, &sub, &order, &stage)?;
        let recipient = Recipient {
            id: sub.id,
            ordering: if missed { sub.ordering } else { Ordering::None },
            supersede: missed && sub.supersede,
            ordered: missed,
        };
        add_job(writing, &recipient, &stage, payload, now)?;
        writing.made(1);
        came.made += 1;
    }
    Ok(came)
}

pub(super) fn has_job(
    connection: &Connection,
    stage: &OrderStage,
    sub: &WebhookOutSub,
) -> Result<bool, Fault> {
    let params = params![stage.order_id.0, stage.id.0, sub.id.0];
    Ok(one(connection, HAS_JOB, params, |_| Ok(()))?.is_some())
}

/// How many jobs or changes there are to look at.
pub(super) fn count(
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
    let counted = plan(connection, integration, work)?
        .page(connection, &query, |_, _| Ok(None::<()>))?
        .count;
    counted.ok_or_else(|| Fault::corrupt("recoveries", 0, "was not counted"))
}

fn plan(
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
        RecoveryWork::Retry { filter, .. } => jobs(connection, integration_id, filter),
        RecoveryWork::Replay { from, until, .. } => {
            order_stages::plan(connection, &stages(*from, *until))
        }
        RecoveryWork::CatchUp { since, .. } => {
            order_stages::plan(connection, &stages(Some(*since), None))
        }
        // It knows what it looks at.
        RecoveryWork::Mend { .. } => Ok(ListPlan::new(Vec::new(), Vec::new())),
    }
}

fn jobs(
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
    webhook_jobs::plan(connection, &query)
}

/// The oldest ones behind an id.
fn page(after: i64, size: u32) -> ListQuery {
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
