//! Retention: what is final and old is removed, so that growth stays bounded.
//!
//! A *round* walks through all that can be old, the oldest first, in small steps; each step is one transaction.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::{IntegrationId, SessionId};
use domain::time::Moment;

use crate::error::StoreError;

/// How long what is final is kept, counted from when it became final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Changes with their jobs, attempts and payloads, where their integration does not say otherwise.
    pub jobs: Duration,
    /// Payloads, where they go earlier than their jobs.
    pub payloads: Option<Duration>,
    /// Audit events.
    pub audit_events: Duration,
    /// Notifications that were read.
    pub notifications: Duration,
}

/// What is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removable {
    /// Changes.
    OrderStages,
    /// Their jobs, tests and operational events.
    WebhookJobs,
    /// Their attempts.
    WebhookAttempts,
    /// Their payloads.
    Payloads,
    /// Orders whose changes are all gone.
    Orders,
    /// What subscriptions wanted when changes came that are gone.
    WebhookOutSubRevisions,
    /// Audit events.
    AuditEvents,
    /// Notifications that were read.
    Notifications,
    /// Sessions that ended.
    Sessions,
    /// Links that nobody used in time.
    SignInLinks,
    /// Answers that nobody can ask for again.
    IdempotencyKeys,
    /// Counts of periods that lie far back.
    DeliveryStatistics,
}

impl Removable {
    /// All there are.
    pub const ALL: [Removable; 12] = [
        Removable::OrderStages,
        Removable::WebhookJobs,
        Removable::WebhookAttempts,
        Removable::Payloads,
        Removable::Orders,
        Removable::WebhookOutSubRevisions,
        Removable::AuditEvents,
        Removable::Notifications,
        Removable::Sessions,
        Removable::SignInLinks,
        Removable::IdempotencyKeys,
        Removable::DeliveryStatistics,
    ];

    /// Its noun, as metrics and logs name it.
    pub const fn name(self) -> &'static str {
        match self {
            Removable::OrderStages => "order_stages",
            Removable::WebhookJobs => "webhook_jobs",
            Removable::WebhookAttempts => "webhook_attempts",
            Removable::Payloads => "payloads",
            Removable::Orders => "orders",
            Removable::WebhookOutSubRevisions => "webhook_out_sub_revisions",
            Removable::AuditEvents => "audit_events",
            Removable::Notifications => "notifications",
            Removable::Sessions => "sessions",
            Removable::SignInLinks => "sign_in_links",
            Removable::IdempotencyKeys => "idempotency_keys",
            Removable::DeliveryStatistics => "delivery_statistics",
        }
    }
}

/// How many records were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed([u64; Removable::ALL.len()]);

impl Removed {
    /// Counts some more.
    pub fn add(&mut self, what: Removable, records: usize) {
        self.0[what as usize] += records as u64;
    }

    /// Counts what another step removed.
    pub fn add_all(&mut self, other: &Removed) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// How many of one kind.
    pub fn of(&self, what: Removable) -> u64 {
        self.0[what as usize]
    }

    /// How many of all kinds.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Each kind with its count.
    pub fn each(&self) -> impl Iterator<Item = (Removable, u64)> {
        Removable::ALL.into_iter().zip(self.0)
    }
}

/// How far a walk through the changes and jobs of an integration has come: the last ones that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The change.
    pub order_stage: i64,
    /// The job.
    pub webhook_job: i64,
}

/// Where a round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionPlace {
    /// At the payloads of the first integration after this one.
    Payloads(IntegrationId),
    /// At the changes of an integration.
    Changes(IntegrationId, Walked),
    /// At the audit events.
    AuditEvents,
    /// At the notifications.
    Notifications,
    /// At the sessions after this one.
    Sessions(SessionId),
    /// At what was good for a short time only.
    Short,
    /// At the space that all this freed.
    Space,
}

impl RetentionPlace {
    /// Where each round begins.
    pub const FIRST: RetentionPlace = RetentionPlace::Payloads(IntegrationId(0));
}

/// How a step of a round went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionStep {
    /// What it removed.
    pub removed: Removed,
    /// How many pages it gave back to the file system.
    pub pages: u64,
    /// Where the next one begins; none where the round is over.
    pub next: Option<RetentionPlace>,
}

/// Retention.
#[async_trait]
pub trait Retention {
    /// Takes the next step of a round, in one transaction: removes about `limit` records, and what belongs to them. What waits is
    /// never removed, nor what belongs to it; nor is the newest record of a kind, so that no id is used twice.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn remove_old(
        &self,
        place: RetentionPlace,
        policy: RetentionPolicy,
        limit: u32,
        now: Moment,
    ) -> Result<RetentionStep, StoreError>;
}
