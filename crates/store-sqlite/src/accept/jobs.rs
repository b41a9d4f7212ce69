//! The stage itself, its payloads, and a job for each subscription that wants it.

use bytes::Bytes;
use domain::id::{OrderStageId, WebhookJobId};
use domain::order::{AcceptedStage, JobReceipt, Order};
use domain::payload::{StageFacts, View, render};
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_out_sub::{Ordering, Version};
use rand::RngExt;
use rusqlite::{Connection, params};
use store::ReadyJob;

use crate::fault::Fault;
use crate::known::Subscriber;
use crate::release;
use crate::writer::Writing;

pub(crate) const INSERT_STAGE: &str = "insert into order_stages (integration_id, order_id, sequence, stage, event_slug, \
     update_status, stage_at, created_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
pub(crate) const INSERT_PAYLOAD: &str =
    "insert into payloads (view, version, body) values (?1, ?2, ?3)";
pub(crate) const INSERT_JOB: &str = "insert into webhook_jobs (integration_id, webhook_out_sub_id, order_id, order_stage_id, \
     sequence, payload_id, status, event, webhook_id, state, ordered, attempts, job_faults, \
     next_attempt_at, passed, test, cancel_requested, created_at) \
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', 1, 0, 0, ?10, 0, 0, 0, ?11)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_STAGE, INSERT_PAYLOAD, INSERT_JOB];

/// What a stage says beside its order.
pub(super) struct Stage {
    pub(super) stage: String,
    pub(super) event_slug: Option<String>,
    pub(super) update_status: bool,
    pub(super) stage_at: Moment,
    pub(super) at: Moment,
}

/// Stores the stage, and a job for each subscription that wants it.
pub(super) fn add_stage(
    writing: &mut Writing,
    order: &Order,
    stage: Stage,
) -> Result<AcceptedStage, Fault> {
    writing
        .connection
        .prepare_cached(INSERT_STAGE)?
        .execute(params![
            order.integration_id.0,
            order.id.0,
            order.sequence,
            stage.stage,
            stage.event_slug,
            stage.update_status,
            stage.stage_at.microseconds(),
            stage.at.microseconds(),
        ])?;
    let id = OrderStageId(writing.connection.last_insert_rowid());
    let webhook_jobs = add_jobs(writing, order, id, &stage)?;
    writing.made(webhook_jobs.len());
    Ok(AcceptedStage {
        id,
        order_id: order.id,
        stage: stage.stage,
        event_slug: stage.event_slug,
        stage_at: stage.stage_at,
        webhook_jobs,
    })
}

fn add_jobs(
    writing: &mut Writing,
    order: &Order,
    id: OrderStageId,
    stage: &Stage,
) -> Result<Vec<JobReceipt>, Fault> {
    let subscribers = writing
        .known
        .subscribers(&writing.connection, order.integration_id)?;
    // Without a change of status, only the event can match.
    let status = stage.update_status.then_some(stage.stage.as_str());
    let event = stage.event_slug.as_deref();
    let mut payloads = Payloads::default();
    let mut receipts = Vec::new();
    for subscriber in subscribers.iter() {
        if !subscriber.triggers.matches(status, event).is_match() {
            continue;
        }
        let payload = payloads.of(writing, subscriber, order, id, stage)?;
        let job = add_job(writing, subscriber, order, id, stage, payload)?;
        receipts.push(JobReceipt {
            id: job,
            webhook_out_sub_id: subscriber.id,
        });
    }
    Ok(receipts)
}

fn add_job(
    writing: &mut Writing,
    subscriber: &Subscriber,
    order: &Order,
    id: OrderStageId,
    stage: &Stage,
    (payload_id, payload): (i64, Bytes),
) -> Result<WebhookJobId, Fault> {
    let webhook_id = WebhookId::new(stage.at, writing.chance.random());
    // The first stage of an order has nothing before it that could hold it.
    let may_be_held = match subscriber.ordering {
        Ordering::Order => order.sequence > 1,
        Ordering::Subscription => true,
        Ordering::None => false,
    };
    let is_held = may_be_held
        && release::is_held(
            &writing.connection,
            subscriber.id,
            Some(order.id),
            subscriber.ordering,
            i64::MAX,
        )?;
    let due_at = (!is_held).then_some(stage.at);
    writing
        .connection
        .prepare_cached(INSERT_JOB)?
        .execute(params![
            order.integration_id.0,
            subscriber.id.0,
            order.id.0,
            id.0,
            order.sequence,
            payload_id,
            stage.stage,
            stage.event_slug,
            webhook_id.as_bytes(),
            due_at.map(Moment::microseconds),
            stage.at.microseconds(),
        ])?;
    let job_id = WebhookJobId(writing.connection.last_insert_rowid());
    if let Some(due_at) = due_at {
        writing.ready(ReadyJob {
            id: job_id,
            webhook_out_sub_id: subscriber.id,
            order_id: Some(order.id),
            sequence: Some(order.sequence),
            webhook_id,
            attempts: 0,
            job_faults: 0,
            first_attempt_clock: None,
            created_at: stage.at,
            due_at,
            payload,
        });
    }
    Ok(job_id)
}

/// The payloads of one stage: each view is rendered and stored once.
#[derive(Default)]
struct Payloads {
    rendered: Vec<(View, Version, i64, Bytes)>,
}

impl Payloads {
    fn of(
        &mut self,
        writing: &Writing,
        subscriber: &Subscriber,
        order: &Order,
        id: OrderStageId,
        stage: &Stage,
    ) -> Result<(i64, Bytes), Fault> {
        let (view, version) = (subscriber.view, subscriber.version);
        let known = self
            .rendered
            .iter()
            .find(|rendered| (rendered.0, rendered.1) == (view, version));
        if let Some((_, _, payload_id, body)) = known {
            return Ok((*payload_id, body.clone()));
        }
        let facts = StageFacts {
            order_id: order.id,
            integration_id: order.integration_id,
            order_stage_id: id,
            external_order_id: order.external_order_id.as_deref(),
            sequence: order.sequence,
            stage: &stage.stage,
            event_slug: stage.event_slug.as_deref(),
            order_status: &order.status,
            stage_at: stage.stage_at,
            accepted_at: stage.at,
            order_created_at: order.created_at,
            fields: &order.fields,
        };
        let body = Bytes::from(render(view, version, &facts));
        let payload_id = store_payload(&writing.connection, view, version, &body)?;
        self.rendered
            .push((view, version, payload_id, body.clone()));
        Ok((payload_id, body))
    }
}

/// Stores the bytes that every attempt will send.
pub(crate) fn store_payload(
    connection: &Connection,
    view: View,
    version: Version,
    body: &[u8],
) -> Result<i64, Fault> {
    connection.prepare_cached(INSERT_PAYLOAD)?.execute(params![
        view.name(),
        version.name(),
        body
    ])?;
    Ok(connection.last_insert_rowid())
}
