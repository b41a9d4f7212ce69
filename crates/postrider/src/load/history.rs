//! History: jobs that are over, made by the server itself before it is measured, and what it costs to have them.
//!
//! Nothing is written into the store by other ways than a user has: the jobs were accepted, delivered and recorded. They
//! belong to an integration of their own, so that the phase after them differs from the one before by nothing else.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::{Value, json};

use super::body::STAGE;
use super::marker::Run;
use super::phase::Bench;
use super::plan::{Orders, Pace, Plan, Until};
use super::report::{Phase, Start};
use super::scenario::Scenario;
use super::setup::Api;

/// Subscriptions that take every change of the history: so many jobs a change.
pub const SUBSCRIPTIONS: usize = 10;
/// How long its last deliveries are waited for: accepting in batches is far ahead of delivering.
const DRAIN: Duration = Duration::from_secs(3_600);
/// How often each page is asked for; the slowest counts.
const TRIES: usize = 3;

/// What it costs to have a history.
#[derive(Clone, Debug, Default, Serialize)]
pub struct History {
    /// A start of the server on it, after it was killed; where the server is the tool's own.
    pub start: Option<Start>,
    /// The first page of its jobs by one filter each.
    pub first_pages: Vec<FirstPage>,
}

/// How long a list takes.
#[derive(Clone, Debug, Serialize)]
pub struct FirstPage {
    /// The parameters of webhook_jobs/index, beside the integration.
    pub asked: String,
    /// How many jobs came.
    pub jobs: usize,
    /// From asking to the end of the answer.
    pub milliseconds: f64,
}

/// The integration whose jobs are the history.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    integration_id: i64,
}

/// Makes the history of a plan; the phase tells how fast.
///
/// # Errors
/// The server refuses, or does not answer; a job was lost.
pub fn make(bench: &Bench<'_>, api: &mut Api, name: &str, jobs: u64) -> Result<(Place, Phase)> {
    let plan = plan(bench.plan, jobs);
    let integrations = api.create_integrations(&format!("{name}-history"), &plan)?;
    api.create_live(&integrations, &plan, bench.receiver)?;
    let filling = Bench {
        plan: &plan,
        integrations: &integrations,
        ..*bench
    };
    let phase = filling.measure("making history", &Run::new(&format!("{name}h")), None, None)?;
    if phase.lost > 0 {
        bail!("{} deliveries of the history did not come", phase.lost);
    }
    let integration_id = integrations[0];
    Ok((Place { integration_id }, phase))
}

fn plan(measured: &Plan, jobs: u64) -> Plan {
    let preset = Scenario::Batch.preset();
    Plan {
        connections: preset.connections,
        batch: preset.batch,
        pace: Pace::Answered,
        until: Until::Changes(jobs.div_ceil(SUBSCRIPTIONS as u64)),
        orders: Orders::OneEach,
        integrations: 1,
        subscriptions: SUBSCRIPTIONS,
        max_in_flight: Scenario::FanOut.preset().max_in_flight,
        windows: 0,
        drain: DRAIN,
        ..measured.clone()
    }
}

impl Place {
    /// Asks for the first page of the history's jobs by each filter and search.
    ///
    /// # Errors
    /// The server does not answer, or refuses.
    pub fn first_pages(self, api: &mut Api) -> Result<Vec<FirstPage>> {
        let newest = self.ask(api, &json!({"page": {"size": 1}}))?.0;
        let order = newest["data"][0]["order_id"].clone();
        let id = newest["data"][0]["id"].as_i64();
        let id = id.context("the history has no jobs")?;
        let url = &newest["data"][0]["callback_url"];
        let mut asked = vec![
            json!({}),
            json!({"count": true}),
            json!({"sort": {"by": "id", "order": "asc"}}),
            json!({"filters": {"order_id": [order]}}),
            json!({"filters": {"endpoint": [url]}}),
            json!({"filters": {"subscribers": ["live-3"]}}),
            json!({"filters": {"status": [STAGE]}}),
            json!({"filters": {"status": ["completed"]}}),
            json!({"filters": {"status_code": [200]}}),
            json!({"filters": {"status_code": [500]}}),
            json!({"filters": {"event_type": ["delivered"]}}),
            json!({"filters": {"date_range_start": "2000-01-01T00:00:00Z"}}),
            json!({"filters": {"date_range_end": "2000-01-01T00:00:00Z"}}),
            json!({"search": {"term": "sched", "attributes": ["status"]}}),
            json!({"search": {"term": "live-", "attributes": ["webhook_subscriber"]}}),
            json!({"search": {"term": "http", "attributes": ["callback_url"]}}),
            json!({"search": {"term": "order.", "attributes": ["event"]}}),
            json!({"search": {"term": id.to_string(), "attributes": ["order_id"]}}),
            json!({"search": {"term": "1 ", "attributes": ["address"]}}),
        ];
        let states = [
            "pending",
            "delivering",
            "retrying",
            "delivered",
            "exhausted",
            "canceled",
            "superseded",
        ];
        asked.extend(states.map(|state| json!({"filters": {"state": [state]}})));
        asked
            .iter()
            .map(|asked| self.first_page(api, asked))
            .collect()
    }

    fn first_page(self, api: &mut Api, asked: &Value) -> Result<FirstPage> {
        let mut page = FirstPage {
            asked: asked.to_string(),
            jobs: 0,
            milliseconds: 0.0,
        };
        for _ in 0..TRIES {
            let (answer, taken) = self.ask(api, asked)?;
            page.jobs = answer["data"].as_array().map_or(0, Vec::len);
            page.milliseconds = page.milliseconds.max(taken.as_secs_f64() * 1e3);
        }
        Ok(page)
    }

    fn ask(self, api: &mut Api, asked: &Value) -> Result<(Value, Duration)> {
        let mut parameters = asked.clone();
        parameters["integration_id"] = self.integration_id.into();
        let began = Instant::now();
        let answer = api.call("webhook_jobs/index", parameters)?;
        Ok((answer, began.elapsed()))
    }
}
