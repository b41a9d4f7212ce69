//! Outgoing webhook subscriptions and their signing secrets.

use std::time::Duration;

use async_trait::async_trait;
use domain::callback_header::CallbackHeader;
use domain::destination::CallbackUrl;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::notification_emails::NotificationEmails;
use domain::payload::template::filter::FilterText;
use domain::payload_render_view::ViewName;
use domain::rate_limit::RateLimit;
use domain::retry::RetryPolicy;
use domain::signature::SigningSecret;
use domain::signing_key::SigningKey;
use domain::success_code::SuccessCode;
use domain::webhook_job::WebhookJob;
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use serde::{Deserialize, Serialize};

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// A subscription to be.
#[derive(Clone, Debug)]
pub struct NewWebhookOutSub {
    /// Whose it will be.
    pub integration_id: IntegrationId,
    /// Its name for machines, unique in the integration.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Where payloads are POSTed.
    pub callback_url: CallbackUrl,
    /// Order statuses that make a job; repeats are folded.
    pub statuses: Vec<String>,
    /// Order events that make a job; repeats are folded.
    pub events: Vec<String>,
    /// What a change must fulfil beside.
    pub filter: Option<FilterText>,
    /// Who is told when the callback keeps failing.
    pub notification_emails: Option<NotificationEmails>,
    /// Which statuses of an answer count as delivered.
    pub success_code: Option<SuccessCode>,
    /// The view that renders payloads.
    pub payload_render_view: Option<ViewName>,
    /// Whether jobs are made and sent.
    pub active: bool,
    /// Whether mails are sent.
    pub notify: bool,
    /// The generation of the payload.
    pub version: Version,
    /// In which order jobs go out.
    pub ordering: Ordering,
    /// Deadline of an attempt.
    pub timeout_seconds: Option<u32>,
    /// Most requests at once.
    pub max_in_flight: Option<u32>,
    /// Whether a newer job of an order replaces those of it that wait.
    pub supersede: bool,
    /// Headers that its requests bear beside ours.
    pub headers: Vec<CallbackHeader>,
    /// When failed deliveries are attempted again.
    pub retry_policy: Option<RetryPolicy>,
    /// How many requests it takes.
    pub rate_limit: Option<RateLimit>,
    /// What signs its payloads.
    pub signing_secret: SigningSecret,
    /// The key that signs them as well.
    pub signing_key: Option<SigningKey>,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// What an update says; `None` means unchanged, and `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct WebhookOutSubChanges {
    /// Its name for machines.
    pub key: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// Where payloads are POSTed.
    pub callback_url: Option<CallbackUrl>,
    /// Order statuses that make a job.
    pub statuses: Option<Vec<String>>,
    /// Order events that make a job.
    pub events: Option<Vec<String>>,
    /// What a change must fulfil beside.
    pub filter: Option<Option<FilterText>>,
    /// Who is told when the callback keeps failing.
    pub notification_emails: Option<Option<NotificationEmails>>,
    /// Which statuses of an answer count as delivered.
    pub success_code: Option<Option<SuccessCode>>,
    /// The view that renders payloads.
    pub payload_render_view: Option<Option<ViewName>>,
    /// Whether jobs are made and sent; switching on also makes a lane that was off healthy.
    pub active: Option<bool>,
    /// Whether mails are sent.
    pub notify: Option<bool>,
    /// The generation of the payload.
    pub version: Option<Version>,
    /// In which order jobs go out.
    pub ordering: Option<Ordering>,
    /// Deadline of an attempt.
    pub timeout_seconds: Option<Option<u32>>,
    /// Most requests at once.
    pub max_in_flight: Option<Option<u32>>,
    /// Whether a newer job of an order replaces those of it that wait.
    pub supersede: Option<bool>,
    /// Headers that its requests bear beside ours; all are replaced.
    pub headers: Option<Vec<CallbackHeader>>,
    /// When failed deliveries are attempted again.
    pub retry_policy: Option<Option<RetryPolicy>>,
    /// How many requests it takes.
    pub rate_limit: Option<Option<RateLimit>>,
    /// The key that signs its payloads as well, if it has none yet.
    pub signing_key: Option<Option<SigningKey>>,
}

/// A subscription with its signing secret: the answer of create, secret and rotate_secret only.
#[derive(Clone, Serialize, Deserialize)]
pub struct WithSecret {
    /// The subscription.
    #[serde(flatten)]
    pub sub: WebhookOutSub,
    /// Its secret as receivers need it, `whsec_…`.
    pub signing_secret: String,
}

/// What signs from a rotation on.
#[derive(Clone, Debug)]
pub struct NewSigning {
    /// The secret.
    pub secret: SigningSecret,
    /// The key, for one that has a key.
    pub key: SigningKey,
}

/// Outgoing webhook subscriptions.
#[async_trait]
pub trait WebhookOutSubs {
    /// Makes a subscription, and its lane.
    ///
    /// # Errors
    /// Refused where the key is taken, a slug is unknown, or the integration has as many as it may.
    async fn create_webhook_out_sub(
        &self,
        new: NewWebhookOutSub,
        change: Change,
    ) -> Result<Created<WithSecret>, Rejection>;

    /// Changes a subscription. Its lane goes on with the new URL, deadline and so on at its next
    /// attempt; `active: false` holds the waiting jobs, `active: true` lets them go.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), the key is taken, a slug is unknown, or both
    /// `notify` is on and no address is there (`notification_emails`).
    async fn update_webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        changes: WebhookOutSubChanges,
        change: Change,
    ) -> Result<WebhookOutSub, Rejection>;

    /// Deletes a subscription: frees its key, cancels its waiting jobs, keeps its history.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn delete_webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WebhookOutSub, Rejection>;

    /// Replaces the signing secret, and the key where there is one; for `overlap` the old ones sign as well.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn rotate_webhook_out_sub_secret(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        new: NewSigning,
        overlap: Duration,
        change: Change,
    ) -> Result<WithSecret, Rejection>;

    /// Shows the signing secret, and keeps who asked for it.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn webhook_out_sub_secret(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WithSecret, Rejection>;

    /// Makes a job from a sample order, marked as a test, outside the ordering.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`) or is not active (`id`).
    async fn send_test(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
        change: Change,
    ) -> Result<WebhookJob, Rejection>;

    /// A subscription that is not deleted.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn webhook_out_sub(
        &self,
        integration_id: IntegrationId,
        id: WebhookOutSubId,
    ) -> Result<Option<WebhookOutSub>, StoreError>;

    /// Subscriptions of an integration that are not deleted; searched by `key`, `name` and
    /// `callback_url`, sorted by `id`, `key`, `name`, `created_at` or `updated_at`. `active` keeps only
    /// those that are, or are not.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn webhook_out_subs(
        &self,
        integration_id: IntegrationId,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<WebhookOutSub>, StoreError>;
}
