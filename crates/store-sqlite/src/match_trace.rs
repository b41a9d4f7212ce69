//! What a change met in each subscription of its integration: told afterwards for one that was accepted, and beforehand
//! for one that might be.

use std::collections::HashMap;

use domain::id::{IntegrationId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::match_trace::{Met, Standing, Traced, TracedJob};
use domain::matching::Triggers;
use domain::order::OrderStage;
use domain::webhook_job::JobState;
use rusqlite::{Connection, Row, params};
use store::rules::match_trace::{self as rules, SubRevision};
use store::{Explanation, StageDetail};

use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::order_stages;

// primary keys; SQLite takes the other columns from the row that has the maximum
pub(crate) const SUBSCRIPTIONS_AT: &str = "select r.webhook_out_sub_id, max(r.revision), r.standing, r.statuses, r.events, r.filter, s.key \
     from webhook_out_sub_revisions r join webhook_out_subs s on s.id = r.webhook_out_sub_id \
     where r.integration_id = ?1 and r.revision <= ?2 group by r.webhook_out_sub_id order by r.webhook_out_sub_id";
// primary key
pub(crate) const MATCHED_UNDER: &str =
    "select matching_revision, filter_results from order_stages where id = ?1";
// primary key
pub(crate) const REVISION: &str = "select matching_revision from integrations where id = ?1";
// webhook_jobs_by_order; the first one of a subscription last
pub(crate) const JOBS_OF_STAGE: &str = "select id, webhook_out_sub_id, state from webhook_jobs \
     where order_id = ?1 and order_id is not null and order_stage_id = ?2 and retry_of is null order by id desc";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SUBSCRIPTIONS_AT, MATCHED_UNDER, REVISION, JOBS_OF_STAGE];

/// A stage with its trace; without one where it was accepted before traces were kept.
pub(crate) fn stage_detail(
    connection: &Connection,
    integration: IntegrationId,
    id: OrderStageId,
) -> Result<Option<StageDetail>, Fault> {
    let stage = order_stages::of_id(connection, id.0)?;
    let Some(stage) = stage.filter(|stage| stage.integration_id == integration) else {
        return Ok(None);
    };
    let match_trace = trace(connection, &stage)?;
    Ok(Some(StageDetail { stage, match_trace }))
}

fn trace(connection: &Connection, stage: &OrderStage) -> Result<Option<Vec<Traced>>, Fault> {
    let Some(met) = met(connection, stage)? else {
        return Ok(None);
    };
    let jobs = jobs_of(connection, stage)?;
    Ok(Some(rules::traced(met, &jobs)))
}

/// What a stage met; nothing where it was accepted before that was kept.
pub(crate) fn met(connection: &Connection, stage: &OrderStage) -> Result<Option<Vec<Met>>, Fault> {
    let matched_under = one(connection, MATCHED_UNDER, [stage.id.0], |row| {
        let results: Option<String> = row.get(1)?;
        Ok((row.get::<_, Option<i64>>(0)?, results))
    })?;
    let Some((Some(revision), results)) = matched_under else {
        return Ok(None);
    };
    let subs = subscriptions_at(connection, stage.integration_id, revision)?;
    Ok(Some(rules::met(stage, results.as_deref(), subs)?))
}

/// What a change would meet now.
pub(crate) fn explain(
    connection: &Connection,
    integration: IntegrationId,
    explanation: &Explanation,
) -> Result<Vec<Traced>, Fault> {
    let revision = one(connection, REVISION, [integration.0], |row| {
        Ok(row.get::<_, i64>(0)?)
    })?;
    let subs = subscriptions_at(connection, integration, revision.unwrap_or_default())?;
    Ok(rules::explained(subs, integration, explanation))
}

fn subscriptions_at(
    connection: &Connection,
    integration: IntegrationId,
    revision: i64,
) -> Result<Vec<SubRevision>, Fault> {
    let params = params![integration.0, revision];
    let mut subs = all(connection, SUBSCRIPTIONS_AT, params, read_revision)?;
    subs.retain(|sub| sub.standing != Standing::Deleted);
    Ok(subs)
}

fn read_revision(row: &Row<'_>) -> Result<SubRevision, Fault> {
    let id = row.get(0)?;
    let words = |index: usize| -> Result<Vec<String>, Fault> {
        let words: String = row.get(index)?;
        Ok(serde_json::from_str(&words)?)
    };
    let standing: String = row.get(2)?;
    let unknown = || Fault::corrupt("webhook_out_sub_revisions", id, "unknown standing");
    Ok(SubRevision {
        id: WebhookOutSubId(id),
        standing: Standing::parse(&standing).ok_or_else(unknown)?,
        triggers: Triggers::new(&words(3)?, &words(4)?),
        filter: row.get(5)?,
        key: row.get(6)?,
    })
}

fn jobs_of(
    connection: &Connection,
    stage: &OrderStage,
) -> Result<HashMap<WebhookOutSubId, TracedJob>, Fault> {
    let params = params![stage.order_id.0, stage.id.0];
    let jobs = all(connection, JOBS_OF_STAGE, params, |row| {
        let id = row.get(0)?;
        let state: String = row.get(2)?;
        let unknown = || Fault::corrupt("webhook_jobs", id, "unknown state");
        let job = TracedJob {
            id: WebhookJobId(id),
            state: JobState::parse(&state).ok_or_else(unknown)?,
        };
        Ok((WebhookOutSubId(row.get(1)?), job))
    })?;
    Ok(jobs.into_iter().collect())
}
