//! What a change met in each subscription of its integration: told afterwards for one that was accepted, and beforehand
//! for one that might be.

use std::collections::{BTreeMap, HashMap};

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::match_trace::{Filtering, Met, Standing, Traced, TracedJob};
use domain::matching::{Match, Triggers};
use domain::order::OrderStage;
use domain::payload::StageFacts;
use domain::payload::template::TemplateFault;
use domain::payload::template::filter::Filter;

use crate::error::StoreError;
use crate::order_stages::Explanation;

/// What the filters of a stage's subscriptions said, where they had a say: nothing where one does not hold, or why
/// it could not be decided.
#[derive(Debug, Default)]
pub struct FilterResults(BTreeMap<i64, Option<String>>);

impl FilterResults {
    /// Notes what a filter said.
    pub fn note(&mut self, sub: WebhookOutSubId, filtering: &Filtering) {
        match filtering {
            Filtering::Passed => {}
            Filtering::Stopped => drop(self.0.insert(sub.0, None)),
            Filtering::Failed(reason) => drop(self.0.insert(sub.0, Some(reason.clone()))),
        }
    }

    /// As the stage keeps it, if there is something to keep.
    ///
    /// # Errors
    /// None: it is plain JSON.
    pub fn to_json(&self) -> Result<Option<String>, StoreError> {
        let json = (!self.0.is_empty()).then(|| serde_json::to_string(&self.0));
        Ok(json.transpose()?)
    }

    fn parse(json: Option<&str>) -> Result<FilterResults, StoreError> {
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
pub fn decide(filter: Option<&Result<Filter, TemplateFault>>, facts: &StageFacts<'_>) -> Filtering {
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

/// What a subscription wanted at a revision.
#[derive(Debug)]
pub struct SubRevision {
    /// Which subscription.
    pub id: WebhookOutSubId,
    /// Its name for machines, as it is now.
    pub key: String,
    /// Whether it took jobs.
    pub standing: Standing,
    /// The statuses and events that it wanted.
    pub triggers: Triggers,
    /// What a change had to fulfil beside.
    pub filter: Option<String>,
}

impl SubRevision {
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

/// What a stage met in these subscriptions, with the [`FilterResults`] that it keeps.
///
/// # Errors
/// When those cannot be read.
pub fn met(
    stage: &OrderStage,
    filter_results: Option<&str>,
    subs: Vec<SubRevision>,
) -> Result<Vec<Met>, StoreError> {
    let results = FilterResults::parse(filter_results)?;
    let status = stage.update_status.then_some(stage.stage.as_str());
    let event = stage.event_slug.as_deref();
    let met = subs.into_iter().map(|sub| {
        let filtering = results.of(sub.id);
        sub.meets(status, event, filtering)
    });
    Ok(met.collect())
}

/// What a stage met, with the jobs that were made of it.
pub fn traced(met: Vec<Met>, jobs: &HashMap<WebhookOutSubId, TracedJob>) -> Vec<Traced> {
    let traced = met.into_iter().map(|met| {
        let job = jobs.get(&met.webhook_out_sub_id).copied();
        met.traced(job)
    });
    traced.collect()
}

/// What a change would meet in these subscriptions.
pub fn explained(
    subs: Vec<SubRevision>,
    integration: IntegrationId,
    explanation: &Explanation,
) -> Vec<Traced> {
    let asked_for = |sub: &SubRevision| explanation.sub.is_none_or(|id| id == sub.id);
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
    traced.collect()
}
