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
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use serde::Serialize;

use crate::accept::{NewJob, Payloads, Recipient, Then, insert_jobs, insert_payloads};
use crate::fault::Fault;
use crate::known::Revisions;
use crate::writing::Writing;

/// The name that these payloads have instead of a view's.
pub(crate) const VIEW: &str = "operational";

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
pub(crate) async fn tell(writing: &mut Writing, told: &Told<'_>) -> Result<(), Fault> {
    let integration = told.sub.integration_id;
    let revisions = Revisions::of(&writing.connection, integration).await?;
    let shared = writing.shared.clone();
    let known = shared
        .known
        .subscribers(&writing.connection, integration, &revisions);
    let subscribers = known.await?;
    let listing = subscribers
        .list
        .iter()
        .filter(|one| one.triggers.lists(told.event));
    let listing: Vec<WebhookOutSubId> = listing.map(|one| one.recipient.id).collect();
    if listing.is_empty() {
        return Ok(());
    }
    // One shape for all views and versions: orders have views.
    let mut payloads = Payloads::default();
    payloads.add(integration, VIEW.to_owned(), Version::V3, told.payload()?);
    let ids = insert_payloads(&writing.connection, &payloads.new).await?;
    let payload_id = *ids.first().ok_or(Fault::Raced)?;
    let jobs: Vec<NewJob> = listing
        .into_iter()
        .map(|whom| told.job_for(whom, payload_id, payloads.new[0].body.clone()))
        .collect();
    insert_jobs(writing, &jobs, Then::More).await?;
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
    fn job_for(&self, whom: WebhookOutSubId, payload_id: i64, payload: Bytes) -> NewJob {
        NewJob {
            integration_id: self.sub.integration_id,
            recipient: Recipient {
                id: whom,
                ordering: Ordering::None,
                supersede: false,
                ordered: false,
                fresh: true,
            },
            order_id: self.job.and_then(|job| job.order_id),
            order_stage_id: None,
            sequence: None,
            payload_id,
            payload,
            view_failed: None,
            status: self.job.map_or_else(String::new, |job| job.status.clone()),
            event: Some(self.event.slug().to_owned()),
            test: false,
            retry_of: None,
            at: self.at,
        }
    }

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
