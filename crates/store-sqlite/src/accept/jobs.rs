//! The stage itself, its payloads, and a job for each subscription that wants it.

use domain::id::{OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::match_trace::Filtering;
use domain::order::{AcceptedStage, JobReceipt, Order, OrderStage};
use domain::payload::StageFacts;
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use rand::RngExt;
use rusqlite::{Connection, params};
use store::rules::match_trace::{FilterResults, decide};
use store::{NewOrderStage, ReadyJob};

use super::payloads::{Payload, Payloads};
use crate::fault::Fault;
use crate::known::Subscribers;
use crate::writing::Writing;
use crate::{release, supersede};

pub(crate) const INSERT_STAGE: &str = "insert into order_stages (integration_id, order_id, sequence, stage, event_slug, \
     update_status, stage_at, created_at, matching_revision) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
// primary key
pub(crate) const KEEP_FILTER_RESULTS: &str =
    "update order_stages set filter_results = ?2 where id = ?1";
pub(crate) const INSERT_JOB: &str = "insert into webhook_jobs (integration_id, webhook_out_sub_id, order_id, order_stage_id, \
     sequence, payload_id, status, event, webhook_id, state, ordered, attempts, job_faults, \
     next_attempt_at, passed, test, cancel_requested, view_failed, created_at) \
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending', ?13, 0, 0, ?10, 0, 0, 0, ?11, ?12)";
// primary key
pub(crate) const MARK_LATE: &str = "update webhook_jobs set late = 1 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_STAGE, KEEP_FILTER_RESULTS, INSERT_JOB, MARK_LATE];

/// Stores the stage, and a job for each subscription that wants it.
pub(super) fn add_stage(
    writing: &mut Writing,
    order: &Order,
    new: &NewOrderStage,
) -> Result<AcceptedStage, Fault> {
    let known = &mut writing.known;
    let subscribers = known.subscribers(&writing.connection, order.integration_id)?;
    let stage = insert_stage(&writing.connection, order, new, subscribers.revision)?;
    let webhook_jobs = add_jobs(writing, &subscribers, order, &stage)?;
    writing.count(webhook_jobs.len());
    Ok(AcceptedStage {
        id: stage.id,
        order_id: order.id,
        stage: stage.stage,
        event_slug: stage.event_slug,
        stage_at: stage.stage_at,
        webhook_jobs,
    })
}

fn insert_stage(
    connection: &Connection,
    order: &Order,
    new: &NewOrderStage,
    revision: i64,
) -> Result<OrderStage, Fault> {
    let stage_at = new.stage_at.unwrap_or(new.at);
    connection.prepare_cached(INSERT_STAGE)?.execute(params![
        order.integration_id.0,
        order.id.0,
        order.sequence,
        new.stage,
        new.event_slug,
        new.update_status,
        stage_at.microseconds(),
        new.at.microseconds(),
        revision,
    ])?;
    Ok(OrderStage {
        id: OrderStageId(connection.last_insert_rowid()),
        integration_id: order.integration_id,
        order_id: order.id,
        sequence: order.sequence,
        stage: new.stage.clone(),
        event_slug: new.event_slug.clone(),
        update_status: new.update_status,
        stage_at,
        created_at: new.at,
    })
}

fn add_jobs(
    writing: &mut Writing,
    subscribers: &Subscribers,
    order: &Order,
    stage: &OrderStage,
) -> Result<Vec<JobReceipt>, Fault> {
    // Without a change of status, only the event can match.
    let status = stage.update_status.then_some(stage.stage.as_str());
    let event = stage.event_slug.as_deref();
    let facts = StageFacts::of(order, stage);
    let mut payloads = Payloads::default();
    let mut filters = FilterResults::default();
    let mut receipts = Vec::new();
    for subscriber in &subscribers.list {
        if !subscriber.triggers.matches(status, event).is_match() {
            continue;
        }
        let recipient = &subscriber.recipient;
        let filtering = decide(subscriber.filter.as_ref(), &facts);
        filters.note(recipient.id, &filtering);
        if filtering == Filtering::Stopped {
            continue;
        }
        let payload = payloads.of(writing, subscriber, &facts)?;
        receipts.push(JobReceipt {
            id: add_job(writing, recipient, stage, payload, stage.created_at)?,
            webhook_out_sub_id: recipient.id,
        });
    }
    if let Some(filters) = filters.to_json()? {
        let mut keep = writing.connection.prepare_cached(KEEP_FILTER_RESULTS)?;
        keep.execute(params![stage.id.0, filters])?;
    }
    Ok(receipts)
}

/// Whom a job is for, and by which rules it waits.
pub(crate) struct Recipient {
    pub(crate) id: WebhookOutSubId,
    pub(crate) ordering: Ordering,
    pub(crate) supersede: bool,
    /// Whether it waits for others, and holds them.
    pub(crate) ordered: bool,
    /// Whether the job is made with the stage, which then is the newest that its order has.
    pub(crate) fresh: bool,
}

/// Stores a job for a stage, and hands it to its lane unless an earlier one holds it.
pub(crate) fn add_job(
    writing: &mut Writing,
    recipient: &Recipient,
    stage: &OrderStage,
    payload: Payload,
    at: Moment,
) -> Result<WebhookJobId, Fault> {
    let (id, ordering) = (recipient.id, recipient.ordering);
    if recipient.supersede && stage.sequence > 1 {
        supersede::replace_waiting(writing, id, ordering, stage.order_id, stage.sequence, at)?;
    }
    let webhook_id = WebhookId::new(at, writing.chance.random());
    // The first stage of an order, when it is new, has nothing before it that could hold it.
    let may_be_held = match ordering {
        Ordering::Order => stage.sequence > 1 || !recipient.fresh,
        Ordering::Subscription => true,
        Ordering::None => false,
    };
    let order = Some(stage.order_id);
    let is_held =
        may_be_held && release::is_held(&writing.connection, id, order, ordering, i64::MAX)?;
    let due_at = (!is_held).then_some(at);
    writing
        .connection
        .prepare_cached(INSERT_JOB)?
        .execute(params![
            stage.integration_id.0,
            id.0,
            stage.order_id.0,
            stage.id.0,
            stage.sequence,
            payload.id,
            stage.stage,
            stage.event_slug,
            webhook_id.as_bytes(),
            due_at.map(Moment::microseconds),
            payload.failed.as_deref(),
            at.microseconds(),
            recipient.ordered,
        ])?;
    let job_id = WebhookJobId(writing.connection.last_insert_rowid());
    if !recipient.fresh {
        let mut mark = writing.connection.prepare_cached(MARK_LATE)?;
        mark.execute([job_id.0])?;
    }
    writing.tally.add(JobState::Pending, 1);
    if let Some(due_at) = due_at {
        writing.ready(ReadyJob {
            id: job_id,
            webhook_out_sub_id: id,
            order_id: order,
            sequence: Some(stage.sequence),
            webhook_id,
            attempts: 0,
            job_faults: 0,
            first_attempt_clock: None,
            created_at: at,
            due_at,
            payload: payload.body,
            test: false,
        });
    }
    Ok(job_id)
}
