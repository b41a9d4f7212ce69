//! What Postrider tells of its own work: a job for each subscription of the integration that lists the event, in the
//! transaction that records what it tells of.
//!
//! These jobs stand outside all orderings, and tell nothing themselves: or a receiver that is told of given-up jobs, and fails,
//! would be told of that without end.

use bytes::Bytes;
use domain::health::LaneRecord;
use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::letter::FailedJob;
use domain::time::Moment;
use domain::vocabulary::OperationalEvent;
use domain::webhook_id::WebhookId;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::{Version, WebhookOutSub};
use rand::RngExt;
use rusqlite::params;
use serde::Serialize;
use store::ReadyJob;

use crate::accept::store_payload;
use crate::fault::Fault;
use crate::writing::Writing;

/// The name that these payloads have instead of a view's.
pub(crate) const VIEW: &str = "operational";

pub(crate) const INSERT_JOB: &str = "insert into webhook_jobs (integration_id, webhook_out_sub_id, order_id, payload_id, status, event, \
     webhook_id, state, ordered, attempts, job_faults, next_attempt_at, passed, test, \
     cancel_requested, created_at) \
     values (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'pending', 0, 0, 0, ?8, 0, 0, 0, ?8)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_JOB];

/// What is told.
pub(crate) struct Told<'a> {
    /// What happened.
    pub(crate) event: OperationalEvent,
    /// To which subscription.
    pub(crate) sub: &'a WebhookOutSub,
    /// With which job, if with one.
    pub(crate) job: Option<&'a FailedJob>,
    /// When.
    pub(crate) at: Moment,
}

/// Makes a job for each subscription that lists the event.
pub(crate) fn tell(writing: &mut Writing, told: &Told<'_>) -> Result<(), Fault> {
    let known = &mut writing.known;
    let subscribers = known.subscribers(&writing.connection, told.sub.integration_id)?;
    let lists = |triggers: &domain::matching::Triggers| triggers.lists(told.event);
    if !subscribers.list.iter().any(|one| lists(&one.triggers)) {
        return Ok(());
    }
    // One shape for all views and versions: orders have views.
    let body = told.payload()?;
    let payload = store_payload(&writing.connection, VIEW, Version::V3, body)?;
    for subscriber in subscribers.list.iter().filter(|one| lists(&one.triggers)) {
        add_job(
            writing,
            subscriber.recipient.id,
            told,
            payload.id,
            payload.body.clone(),
        )?;
    }
    Ok(())
}

fn add_job(
    writing: &mut Writing,
    whom: WebhookOutSubId,
    told: &Told<'_>,
    payload_id: i64,
    payload: Bytes,
) -> Result<(), Fault> {
    let webhook_id = WebhookId::new(told.at, writing.chance.random());
    let order_id = told.job.and_then(|job| job.order_id);
    writing
        .connection
        .prepare_cached(INSERT_JOB)?
        .execute(params![
            told.sub.integration_id.0,
            whom.0,
            order_id.map(|id| id.0),
            payload_id,
            told.job.map_or("", |job| job.status.as_str()),
            told.event.slug(),
            webhook_id.as_bytes(),
            told.at.microseconds(),
        ])?;
    let id = WebhookJobId(writing.connection.last_insert_rowid());
    writing.count(1);
    writing.tally.add(JobState::Pending, 1);
    writing.ready(ReadyJob {
        id,
        webhook_out_sub_id: whom,
        order_id,
        sequence: None,
        webhook_id,
        attempts: 0,
        job_faults: 0,
        first_attempt_clock: None,
        created_at: told.at,
        due_at: told.at,
        payload,
        test: false,
    });
    Ok(())
}

/// The payload.
#[derive(Serialize)]
struct Payload<'a> {
    event: &'static str,
    occurred_at: Moment,
    integration_id: i64,
    webhook_out_sub: SubTold<'a>,
    webhook_job: Option<JobTold<'a>>,
}

#[derive(Serialize)]
struct SubTold<'a> {
    id: i64,
    key: &'a str,
    name: &'a str,
    /// Without path and query, which are often as good as a secret.
    callback_origin: String,
    health: &'a LaneRecord,
}

#[derive(Serialize)]
struct JobTold<'a> {
    id: WebhookJobId,
    order_id: Option<OrderId>,
    status: &'a str,
    event: Option<&'a str>,
    attempt_count: u32,
    last_fault: &'a str,
}

impl Told<'_> {
    fn payload(&self) -> Result<Vec<u8>, Fault> {
        let job = self.job.map(|job| JobTold {
            id: job.id,
            order_id: job.order_id,
            status: &job.status,
            event: job.event.as_deref(),
            attempt_count: job.attempt_count,
            last_fault: &job.last_fault,
        });
        let payload = Payload {
            event: self.event.slug(),
            occurred_at: self.at,
            integration_id: self.sub.integration_id.0,
            webhook_out_sub: SubTold {
                id: self.sub.id.0,
                key: &self.sub.key,
                name: &self.sub.name,
                callback_origin: self.sub.callback_url.origin().to_string(),
                health: &self.sub.health,
            },
            webhook_job: job,
        };
        Ok(serde_json::to_vec(&payload)?)
    }
}
