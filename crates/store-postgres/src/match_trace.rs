//! What a change met in each subscription of its integration: told afterwards for one that was accepted, and beforehand
//! for one that might be.

use std::collections::{BTreeMap, HashMap};

use domain::id::{IntegrationId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::match_trace::{Filtering, Met, Standing, Traced, TracedJob};
use domain::matching::{Match, Triggers};
use domain::order::OrderStage;
use domain::payload::StageFacts;
use domain::payload::template::TemplateFault;
use domain::payload::template::filter::Filter;
use domain::webhook_job::JobState;
use store::{Explanation, StageDetail};
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::order_stages;

// primary keys
pub(crate) const SUBSCRIPTIONS_AT: &str = "select distinct on (r.webhook_out_sub_id) r.webhook_out_sub_id, r.standing, r.statuses, r.events, \
     r.filter, s.key from webhook_out_sub_revisions r join webhook_out_subs s on s.id = r.webhook_out_sub_id \
     where r.integration_id = $1 and r.revision <= $2 order by r.webhook_out_sub_id, r.revision desc";
// primary key
pub(crate) const MATCHED_UNDER: &str =
    "select matching_revision, filter_results from order_stages where id = $1";
// primary key
pub(crate) const REVISION: &str = "select matching_revision from integrations where id = $1";
// webhook_jobs_waiting_by_order, webhook_jobs_final_by_order; the first one of a subscription last
pub(crate) const JOBS_OF_STAGE: &str = "select id, webhook_out_sub_id, state from webhook_jobs \
     where order_id = $1 and order_id is not null and order_stage_id = $2 and retry_of is null order by id desc";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SUBSCRIPTIONS_AT, MATCHED_UNDER, REVISION, JOBS_OF_STAGE];

/// What the filters of a stage's subscriptions said, where they had a say: nothing where one does not hold, or why
/// it could not be decided.
#[derive(Debug, Default)]
pub(crate) struct FilterResults(BTreeMap<i64, Option<String>>);

impl FilterResults {
    /// Notes what a filter said.
    pub(crate) fn note(&mut self, sub: WebhookOutSubId, filtering: &Filtering) {
        match filtering {
            Filtering::Passed => {}
            Filtering::Stopped => drop(self.0.insert(sub.0, None)),
            Filtering::Failed(reason) => drop(self.0.insert(sub.0, Some(reason.clone()))),
        }
    }

    /// As the stage keeps it, if there is something to keep.
    pub(crate) fn to_json(&self) -> Result<Option<String>, Fault> {
        let json = (!self.0.is_empty()).then(|| serde_json::to_string(&self.0));
        Ok(json.transpose()?)
    }

    fn parse(json: Option<&str>) -> Result<FilterResults, Fault> {
        let results = json.map(serde_json::from_str).transpose()?;
        Ok(FilterResults(results.unwrap_or_default()))
    }

    fn of(&self, sub: WebhookOutSubId) -> Filtering {
        match self.0.get(&sub.0) {
            None => Filtering::Passed,
            Some(None) => Filtering::Stopped,
            Some(Some(reason)) => Filtering::Failed(reason.clone()),
        }
    }
}

/// What a filter says of a change. One that was saved has compiled; a later version of the engine may see that differently.
pub(crate) fn decide(
    filter: Option<&Result<Filter, TemplateFault>>,
    facts: &StageFacts<'_>,
) -> Filtering {
    let decided = match filter {
        None => return Filtering::Passed,
        Some(Ok(filter)) => filter.passes(facts),
        Some(Err(fault)) => Err(fault.clone()),
    };
    match decided {
        Ok(true) => Filtering::Passed,
        Ok(false) => Filtering::Stopped,
        Err(fault) => Filtering::Failed(fault.to_string()),
    }
}

/// A stage with its trace; without one where it was accepted before traces were kept.
pub(crate) async fn stage_detail(
    connection: &Connection,
    integration: IntegrationId,
    id: OrderStageId,
) -> Result<Option<StageDetail>, Fault> {
    let stage = order_stages::of_id(connection, id.0).await?;
    let Some(stage) = stage.filter(|stage| stage.integration_id == integration) else {
        return Ok(None);
    };
    let match_trace = trace(connection, &stage).await?;
    Ok(Some(StageDetail { stage, match_trace }))
}

async fn trace(connection: &Connection, stage: &OrderStage) -> Result<Option<Vec<Traced>>, Fault> {
    let Some(met) = met(connection, stage).await? else {
        return Ok(None);
    };
    let jobs = jobs_of(connection, stage).await?;
    let traced = met.into_iter().map(|met| {
        let job = jobs.get(&met.webhook_out_sub_id).copied();
        met.traced(job)
    });
    Ok(Some(traced.collect()))
}

/// What a stage met; nothing where it was accepted before that was kept.
pub(crate) async fn met(
    connection: &Connection,
    stage: &OrderStage,
) -> Result<Option<Vec<Met>>, Fault> {
    let matched_under = one(connection, MATCHED_UNDER, &[&stage.id.0], |row| {
        let results: Option<String> = row.try_get(1)?;
        Ok((row.try_get::<_, i64>(0)?, results))
    })
    .await;
    let Some((revision, results)) = matched_under? else {
        return Ok(None);
    };
    let results = FilterResults::parse(results.as_deref())?;
    let status = stage.update_status.then_some(stage.stage.as_str());
    let event = stage.event_slug.as_deref();
    let subs = subscriptions_at(connection, stage.integration_id, revision).await?;
    let met = subs.into_iter().map(|sub| {
        let filtering = results.of(sub.id);
        sub.meets(status, event, filtering)
    });
    Ok(Some(met.collect()))
}

/// What a change would meet now.
pub(crate) async fn explain(
    connection: &Connection,
    integration: IntegrationId,
    explanation: &Explanation,
) -> Result<Vec<Traced>, Fault> {
    let revision = one(connection, REVISION, &[&integration.0], |row| {
        Ok(row.try_get::<_, i64>(0)?)
    })
    .await;
    let revision = revision?.unwrap_or_default();
    let subs = subscriptions_at(connection, integration, revision).await?;
    let asked_for = |sub: &Revision| explanation.sub.is_none_or(|id| id == sub.id);
    let facts = explanation.facts(integration);
    let status = explanation.update_status.then_some(facts.stage);
    let traced = subs.into_iter().filter(asked_for).map(|sub| {
        let filter = sub.filter.as_deref().map(Filter::compile);
        let filtering = match sub.triggers.matches(status, facts.event_slug) {
            Match::Neither => Filtering::Passed,
            _ => decide(filter.as_ref(), &facts),
        };
        sub.meets(status, facts.event_slug, filtering).traced(None)
    });
    Ok(traced.collect())
}

/// What a subscription wanted at a revision.
struct Revision {
    id: WebhookOutSubId,
    key: String,
    standing: Standing,
    triggers: Triggers,
    filter: Option<String>,
}

impl Revision {
    fn meets(self, status: Option<&str>, event: Option<&str>, filtering: Filtering) -> Met {
        Met {
            matched: self.triggers.matches(status, event),
            webhook_out_sub_id: self.id,
            key: self.key,
            standing: self.standing,
            filtering,
        }
    }
}

async fn subscriptions_at(
    connection: &Connection,
    integration: IntegrationId,
    revision: i64,
) -> Result<Vec<Revision>, Fault> {
    let params: Params = &[&integration.0, &revision];
    let mut subs = all(connection, SUBSCRIPTIONS_AT, params, read_revision).await?;
    subs.retain(|sub| sub.standing != Standing::Deleted);
    Ok(subs)
}

fn read_revision(row: &Row) -> Result<Revision, Fault> {
    let id = row.try_get("webhook_out_sub_id")?;
    let words = |column: &str| -> Result<Vec<String>, Fault> {
        Ok(serde_json::from_str(row.try_get(column)?)?)
    };
    let unknown = || Fault::corrupt("webhook_out_sub_revisions", id, "unknown standing");
    Ok(Revision {
        id: WebhookOutSubId(id),
        standing: Standing::parse(row.try_get("standing")?).ok_or_else(unknown)?,
        triggers: Triggers::new(&words("statuses")?, &words("events")?),
        filter: row.try_get("filter")?,
        key: row.try_get("key")?,
    })
}

async fn jobs_of(
    connection: &Connection,
    stage: &OrderStage,
) -> Result<HashMap<WebhookOutSubId, TracedJob>, Fault> {
    let params: Params = &[&stage.order_id.0, &stage.id.0];
    let jobs = all(connection, JOBS_OF_STAGE, params, |row| {
        let id = row.try_get("id")?;
        let state = JobState::parse(row.try_get("state")?);
        let job = TracedJob {
            id: WebhookJobId(id),
            state: state.ok_or_else(|| Fault::corrupt("webhook_jobs", id, "unknown state"))?,
        };
        Ok((WebhookOutSubId(row.try_get("webhook_out_sub_id")?), job))
    });
    Ok(jobs.await?.into_iter().collect())
}
