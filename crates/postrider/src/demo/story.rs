//! What the demo does: makes an integration and a subscription, reports changes, checks what arrives.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use domain::signature::{SigningSecret, SigningSecrets, sign};
use domain::signing_key::SigningKeys;
use domain::time::Moment;
use http::{HeaderMap, Uri};
use serde_json::{Value, json};

use super::receiver::{Delivery, DemoReceiver};
use super::say;
use crate::load::{Sender, Target};

/// The changes that are reported: order, stage, event.
const CHANGES: [(&str, &str, Option<&str>); 6] = [
    ("DEMO-1001", "ordered", Some("order.received")),
    ("DEMO-1002", "ordered", Some("order.received")),
    ("DEMO-1001", "scheduled", Some("appointment.scheduled")),
    ("DEMO-1002", "scheduled", Some("appointment.scheduled")),
    ("DEMO-1001", "completed", Some("order.delivered")),
    ("DEMO-1002", "cancelled", None),
];
/// How long a delivery may take, in seconds: far longer than it does.
const DELIVERY_SECONDS_MAX: u64 = 30;

/// See the module.
pub struct Story {
    api: Sender,
    token: String,
    receiver: DemoReceiver,
    secret: SigningSecret,
    integration: i64,
    /// The last sequence that was accepted, by order.
    sequences: HashMap<String, i64>,
}

impl Story {
    /// Makes the integration and the subscription.
    pub async fn begin(url: &str, token: &str, receiver: DemoReceiver) -> anyhow::Result<Story> {
        let target = Target::new(url, token, None, false)?;
        let mut api = Sender::new(&target.node);
        let made = call(
            &mut api,
            token,
            "integrations/create",
            json!({ "key": "demo", "name": "Demo" }),
        );
        let integration = made.await?["id"].as_i64().context("no integration id")?;
        let made = call(
            &mut api,
            token,
            "webhook_out_subs/create",
            json!({
                "integration_id": integration, "key": "demo-receiver", "name": "The demo's receiver",
                "callback_url": receiver.url(), "statuses": ["*"], "version": "v3",
            }),
        );
        let made = made.await?;
        let secret = made["signing_secret"]
            .as_str()
            .context("no signing secret")?;
        Ok(Story {
            secret: secret.parse()?,
            api,
            token: token.to_owned(),
            receiver,
            integration,
            sequences: HashMap::new(),
        })
    }

    /// Reports the changes, and checks that each arrives, signed and in the order of its order.
    pub async fn tell(&mut self) -> anyhow::Result<()> {
        say("")?;
        for (order, stage, event) in CHANGES {
            let change = json!({
                "integration_id": self.integration, "external_order_id": order, "create_order": true,
                "stage": stage, "event_slug": event,
            });
            let receipt = call(&mut self.api, &self.token, "order_stages/create", change).await?;
            let job = &receipt["webhook_jobs"][0]["id"];
            say(&format!("sent      {order} {stage:<10} job {job}"))?;
        }
        let mut received = 0;
        while received < CHANGES.len() {
            let patience = Duration::from_secs(DELIVERY_SECONDS_MAX);
            let delivery = tokio::time::timeout(patience, self.receiver.next()).await;
            let delivery = delivery
                .context("a change did not arrive in time")?
                .context("the receiver ended")?;
            if self.check(&delivery)? {
                received += 1;
            }
        }
        say(&format!(
            "\n{received} changes sent, {received} received, {received} signatures verified, each order in order."
        ))
    }

    /// Shows what arrives, until the receiver ends.
    pub async fn watch(&mut self) -> anyhow::Result<()> {
        while let Some(delivery) = self.receiver.next().await {
            self.check(&delivery)?;
        }
        Ok(())
    }

    /// Whether a genuine delivery was accepted; false for one that was refused once.
    fn check(&mut self, delivery: &Delivery) -> anyhow::Result<bool> {
        self.verify(delivery)?;
        let payload: Value = serde_json::from_slice(&delivery.body)?;
        let order = payload["external_order_id"].as_str().unwrap_or_default();
        let stage = payload["status"].as_str().unwrap_or_default();
        let id = text(&delivery.headers, "webhook-id")?;
        let attempt = text(&delivery.headers, "postrider-attempt")?;
        say(&format!(
            "received  {order} {stage:<10} attempt {attempt}  {id}  signature verified, answered {}",
            delivery.answered.as_u16()
        ))?;
        if !delivery.answered.is_success() {
            return Ok(false);
        }
        let sequence: i64 = text(&delivery.headers, "postrider-sequence")?.parse()?;
        let before = self.sequences.insert(order.to_owned(), sequence);
        let before = before.unwrap_or(0);
        ensure!(
            sequence == before + 1,
            "{order}: stage {sequence} came after {before}"
        );
        Ok(true)
    }

    fn verify(&self, delivery: &Delivery) -> anyhow::Result<()> {
        let timestamp: i64 = text(&delivery.headers, "webhook-timestamp")?.parse()?;
        let id = text(&delivery.headers, "webhook-id")?;
        let secrets = SigningSecrets {
            current: self.secret.clone(),
            previous: None,
            keys: SigningKeys::default(),
        };
        let at = Moment::from_microseconds(timestamp * 1_000_000);
        let expected = sign(&secrets, at, id, &delivery.body).signature;
        ensure!(
            text(&delivery.headers, "webhook-signature")? == expected,
            "a signature is wrong"
        );
        Ok(())
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> anyhow::Result<&'h str> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.with_context(|| format!("the header {name} is missing"))
}

/// Calls a route, and gives the data of its answer.
async fn call(
    api: &mut Sender,
    token: &str,
    route: &str,
    mut parameters: Value,
) -> anyhow::Result<Value> {
    let uri: Uri = format!("/api/v1/{route}").parse()?;
    parameters["token"] = json!(token);
    let (status, body) = api.ask(&uri, parameters.to_string().into_bytes()).await?;
    let mut body: Value = serde_json::from_slice(&body)?;
    if !status.is_success() {
        bail!("{route} answers {status}: {}", body["message"]);
    }
    Ok(body["data"].take())
}
