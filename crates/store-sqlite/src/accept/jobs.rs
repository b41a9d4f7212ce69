//! The stage itself, its payloads, and a job for each subscription that wants it.

use domain::id::{OrderStageId, WebhookJobId};
use domain::match_trace::Filtering;
use domain::order::{AcceptedStage, JobReceipt, Order};
use domain::payload::StageFacts;
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_out_sub::Ordering;
use rand::RngExt;
use rusqlite::params;
use store::ReadyJob;

use super::payloads::{Payload, Payloads};
use crate::fault::Fault;
use crate::known::{Subscriber, Subscribers};
use crate::match_trace::{FilterResults, decide};
use crate::writer::Writing;
use crate::{release, supersede};

pub(crate) const INSERT_STAGE: &str = "insert into order_stages (integration_id, order_id, sequence, stage, event_slug, \
     update_status, stage_at, created_at, matching_revision) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
// primary key
pub(crate) const KEEP_FILTER_RESULTS: &str =
    "update order_stages set filter_results = ?2 where id = ?1";
pub(crate) const INSERT_JOB: &str = "insert into webhook_jobs (integration_id, webhook_out_sub_id, order_id, order_stage_id, \
     sequence, payload_id, status, event, webhook_id, state, ordered, attempts, job_faults, \
     next_attempt_at, passed, test, cancel_requested, view_failed, created_at) \
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', 1, 0, 0, ?10, 0, 0, 0, ?11, ?12)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_STAGE, KEEP_FILTER_RESULTS, INSERT_JOB];

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
    let known = &mut writing.known;
    let subscribers = known.subscribers(&writing.connection, order.integration_id)?;
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
            subscribers.revision,
        ])?;
    let id = OrderStageId(writing.connection.last_insert_rowid());
    let webhook_jobs = add_jobs(writing, &subscribers, order, id, &stage)?;
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
    subscribers: &Subscribers,
    order: &Order,
    id: OrderStageId,
    stage: &Stage,
) -> Result<Vec<JobReceipt>, Fault> {
    // Without a change of status, only the event can match.
    let status = stage.update_status.then_some(stage.stage.as_str());
    let event = stage.event_slug.as_deref();
    let mut payloads = Payloads::default();
    let mut filters = FilterResults::default();
    let mut receipts = Vec::new();
    for subscriber in &subscribers.list {
        if !subscriber.triggers.matches(status, event).is_match() {
            continue;
        }
        if subscriber.filter.is_some() {
            let filtering = decide(subscriber.filter.as_ref(), &facts(order, id, stage));
            filters.note(subscriber.id, &filtering);
            if filtering == Filtering::Stopped {
                continue;
            }
        }
        let payload = payloads.of(writing, subscriber, || facts(order, id, stage))?;
        let job = add_job(writing, subscriber, order, id, stage, payload)?;
        receipts.push(JobReceipt {
            id: job,
            webhook_out_sub_id: subscriber.id,
        });
    }
    if let Some(filters) = filters.to_json()? {
        let mut keep = writing.connection.prepare_cached(KEEP_FILTER_RESULTS)?;
        keep.execute(params![id.0, filters])?;
    }
    Ok(receipts)
}

fn add_job(
    writing: &mut Writing,
    subscriber: &Subscriber,
    order: &Order,
    id: OrderStageId,
    stage: &Stage,
    payload: Payload,
) -> Result<WebhookJobId, Fault> {
    if subscriber.supersede && order.sequence > 1 {
        supersede::replace_waiting(writing, subscriber, order.id, stage.at)?;
    }
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
            payload.id,
            stage.stage,
            stage.event_slug,
            webhook_id.as_bytes(),
            due_at.map(Moment::microseconds),
            payload.failed.as_deref(),
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
            payload: payload.body,
            test: false,
        });
    }
    Ok(job_id)
}

fn facts<'a>(order: &'a Order, id: OrderStageId, stage: &'a Stage) -> StageFacts<'a> {
    StageFacts {
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
    }
}
