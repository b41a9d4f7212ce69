//! Webhook jobs as people see them: found, read, repeated, withdrawn.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::{JobState, WebhookAttempt, WebhookJob};
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// What jobs must be like. Empty lists mean all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct JobFilter {
    /// Only these states; [`JobState::Delivering`] is not stored.
    pub states: Vec<JobState>,
    /// Only these subscriptions.
    pub subscriber_ids: Vec<WebhookOutSubId>,
    /// Only subscriptions with these keys, beside `subscriber_ids`.
    pub subscriber_keys: Vec<String>,
    /// Only subscriptions with these callback URLs.
    pub endpoints: Vec<String>,
    /// Only jobs of these orders.
    pub order_ids: Vec<OrderId>,
    /// Only these order statuses.
    pub statuses: Vec<String>,
    /// Only events whose part after the dot is one of these.
    pub event_types: Vec<String>,
    /// Only jobs whose last answer had one of these statuses.
    pub status_codes: Vec<u16>,
    /// Only those made at or after this moment.
    pub created_from: Option<Moment>,
    /// Only those made before this moment.
    pub created_until: Option<Moment>,
}

impl JobFilter {
    /// Whether jobs in the wanted states are few among those of a subscription that is in use: most are delivered.
    pub fn wants_rare_states(&self) -> bool {
        let is_rare = |state: &JobState| !matches!(state, JobState::Delivered | JobState::Pending);
        !self.states.is_empty() && self.states.iter().all(is_rare)
    }
}

/// Which jobs.
#[derive(Clone, Debug)]
pub struct JobQuery {
    /// Whose.
    pub integration_id: IntegrationId,
    /// What they must be like.
    pub filter: JobFilter,
    /// The jobs that are being delivered at this moment, where the filter asks for them.
    pub delivering: Vec<WebhookJobId>,
    /// Searched by `status`, `address`, `event`, `order_id`, `webhook_subscriber` and `callback_url`;
    /// sorted by `id` or `created_at`, which agree.
    pub list: ListQuery,
}

/// A job with all that belongs to it.
#[derive(Clone, Debug)]
pub struct JobDetail {
    /// The job.
    pub job: WebhookJob,
    /// Its attempts, the first one first.
    pub attempts: Vec<WebhookAttempt>,
    /// The bytes that are sent; absent where they were removed because of their age.
    pub payload: Option<Vec<u8>>,
}

/// What waits at one moment, of all integrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many jobs, counted up to a million.
    pub jobs: u64,
    /// When the oldest of them was made.
    pub oldest_created_at: Option<Moment>,
}

/// Webhook jobs.
#[async_trait]
pub trait WebhookJobs {
    /// Jobs of an integration, the newest first unless sorted otherwise.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn webhook_jobs(&self, query: JobQuery) -> Result<Page<WebhookJob>, StoreError>;

    /// What waits. Looks at each subscription: for each scrape of metrics, not for each job.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn waiting_webhook_jobs(&self) -> Result<Waiting, StoreError>;

    /// A job with its attempts and payload.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
    ) -> Result<Option<JobDetail>, StoreError>;

    /// Makes a waiting job due now, unless an earlier one holds it; repeats a final one as a new job outside the ordering. With `rerender`, its payload is
    /// rendered anew, by today's view and of the order as it is.
    ///
    /// # Errors
    /// Refused where it does not exist, or its subscription is deleted or not active, or its payload or change was removed because
    /// of its age; or it tells of no change that could be rendered (`rerender`).
    async fn retry_webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
        rerender: bool,
        change: Change,
    ) -> Result<WebhookJob, Rejection>;

    /// Withdraws a waiting job and releases the next of its order. One that is in flight at this moment
    /// is marked: should the attempt fail, it is canceled.
    ///
    /// # Errors
    /// Refused where it does not exist or is final.
    async fn cancel_webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
        change: Change,
    ) -> Result<WebhookJob, Rejection>;
}
