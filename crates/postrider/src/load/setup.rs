//! What the server needs before it can be measured: integrations and subscriptions, made by its API.

use anyhow::{Context, Result, bail};
use http::{StatusCode, Uri};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::body::{DEAD_STAGE, STAGE};
use super::plan::Plan;
use super::receiver::Receiver;
use super::sender::Sender;
use super::target::Target;

/// The server's API, called one request at a time, of its nodes in turn: whoever makes a subscription sends its jobs.
pub struct Api {
    senders: Vec<Sender>,
    called: usize,
    token: String,
    runtime: Runtime,
}

impl Api {
    /// The API of this server.
    ///
    /// # Errors
    /// The system gives no event loop.
    pub fn new(target: &Target) -> Result<Api> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Api {
            senders: target.nodes().map(Sender::new).collect(),
            called: 0,
            token: target.token.clone(),
            runtime,
        })
    }

    /// Makes the plan's integrations, and gives their ids.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub fn create_integrations(&mut self, run: &str, plan: &Plan) -> Result<Vec<i64>> {
        let create = |number| {
            let key = format!("load-{run}-{number}");
            self.create("integrations", json!({ "key": key, "name": key }))
        };
        (0..plan.integrations).map(create).collect()
    }

    /// Makes the plan's answered subscriptions, all of an integration in a row.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub fn create_live(
        &mut self,
        integrations: &[i64],
        plan: &Plan,
        receiver: &Receiver,
    ) -> Result<()> {
        for number in 0..integrations.len() * plan.subscriptions {
            let integration = integrations[number / plan.subscriptions];
            let key = format!("live-{number}");
            let url = receiver.live_url(number);
            self.create_subscription(integration, &key, &url, STAGE, plan.max_in_flight)?;
        }
        Ok(())
    }

    /// Makes the plan's dead subscriptions, spread over the integrations.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub fn create_dead(
        &mut self,
        integrations: &[i64],
        plan: &Plan,
        receiver: &Receiver,
    ) -> Result<()> {
        let stage = plan.dead_rate.map_or(STAGE, |_| DEAD_STAGE);
        for number in 0..plan.dead {
            let integration = integrations[number % integrations.len()];
            let key = format!("dead-{number}");
            let url = receiver.dead_url(number);
            self.create_subscription(integration, &key, &url, stage, plan.max_in_flight)?;
        }
        Ok(())
    }

    fn create_subscription(
        &mut self,
        integration: i64,
        key: &str,
        callback_url: &str,
        stage: &str,
        max_in_flight: u32,
    ) -> Result<()> {
        let parameters = json!({
            "integration_id": integration,
            "key": key,
            "name": key,
            "callback_url": callback_url,
            "version": "v3",
            "statuses": [stage],
            "success_code": "2xx",
            "max_in_flight": max_in_flight,
        });
        self.create("webhook_out_subs", parameters).map(|_| ())
    }

    /// Makes a record, and gives its id.
    fn create(&mut self, service: &str, parameters: Value) -> Result<i64> {
        let path = format!("{service}/create");
        let id = self.call(&path, parameters)?["data"]["id"].as_i64();
        id.with_context(|| format!("{path} answers without data.id"))
    }

    /// Asks a route, as in `webhook_jobs/index`; the body of its answer.
    ///
    /// # Errors
    /// The server refuses, or does not answer.
    pub fn call(&mut self, route: &str, mut parameters: Value) -> Result<Value> {
        let path = format!("/api/v1/{route}");
        let uri: Uri = path.parse()?;
        parameters["token"] = Value::from(self.token.as_str());
        let node = self.called % self.senders.len();
        self.called += 1;
        let asked = self.senders[node].ask(&uri, parameters.to_string().into_bytes());
        let answer = self.runtime.block_on(asked);
        let (status, body) =
            answer.with_context(|| format!("{path}: the server does not answer"))?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status != StatusCode::OK {
            let told = json!([body["status"], body["message"], body["errors"]]);
            bail!("{path} answers {status}: {told}");
        }
        Ok(body)
    }
}
