//! Recoveries: work on many jobs, kept so that it goes on after a restart.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderStageId, RecoveryId, WebhookJobId, WebhookOutSubId};
use domain::recovery::Recovery;
use domain::time::Moment;
use serde::{Deserialize, Serialize};

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::webhook_jobs::JobFilter;

/// What is to be done.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecoveryWork {
    /// Retry jobs: those that wait become due, those that are final are repeated outside the ordering.
    Retry {
        /// Which.
        filter: JobFilter,
        /// Whether their payloads are rendered anew, by today's view and of the order as it is.
        rerender: bool,
    },
    /// Make a job, outside the ordering, for each change that was accepted in a time and that the subscription wants.
    Replay {
        /// For whom.
        webhook_out_sub_id: WebhookOutSubId,
        /// Accepted at or after this.
        from: Option<Moment>,
        /// Accepted before this.
        until: Option<Moment>,
    },
    /// Switch a subscription on and make the jobs that it missed, in order; new changes wait for their turn meanwhile.
    CatchUp {
        /// For whom.
        webhook_out_sub_id: WebhookOutSubId,
        /// Changes accepted at or after this.
        since: Moment,
    },
    /// Make the jobs that are missing, behind those that are there, and wake those that sleep.
    Mend {
        /// Which changes lack a job for which subscription.
        missing: Vec<(OrderStageId, WebhookOutSubId)>,
        /// Which jobs wait for nothing.
        sleeping: Vec<WebhookJobId>,
    },
}

/// A recovery to be.
#[derive(Clone, Debug)]
pub struct NewRecovery {
    /// Whose it will be.
    pub integration_id: IntegrationId,
    /// What it does.
    pub work: RecoveryWork,
    /// Its pace, in jobs a second.
    pub per_second: u32,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// How a step of a recovery went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many jobs or changes it looked at.
    pub looked_at: usize,
    /// How many jobs it made, or made due.
    pub made: usize,
    /// Whether its pace does not count: it makes what new changes wait for.
    pub unpaced: bool,
    /// Whether the recovery goes on.
    pub goes_on: bool,
}

/// Recoveries.
#[async_trait]
pub trait Recoveries {
    /// What a recovery would be, without beginning it.
    ///
    /// # Errors
    /// Refused as [`Recoveries::begin_recovery`] would be.
    async fn preview_recovery(&self, new: NewRecovery, now: Moment) -> Result<Recovery, Rejection>;

    /// Begins a recovery.
    ///
    /// # Errors
    /// Refused where its subscription does not exist or is not active (`webhook_out_sub_id`, or `id` where it is to catch up),
    /// or catches up already (`since`).
    async fn begin_recovery(
        &self,
        new: NewRecovery,
        change: Change,
    ) -> Result<Created<Recovery>, Rejection>;

    /// Stops a recovery; what it did stands.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`) or has ended.
    async fn cancel_recovery(
        &self,
        integration_id: IntegrationId,
        id: RecoveryId,
        change: Change,
    ) -> Result<Recovery, Rejection>;

    /// A recovery; only one of this integration, where one is named.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn recovery(
        &self,
        integration_id: Option<IntegrationId>,
        id: RecoveryId,
    ) -> Result<Option<Recovery>, StoreError>;

    /// The recoveries that go on, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn running_recoveries(&self) -> Result<Vec<Recovery>, StoreError>;

    /// Takes the next step of a recovery, in one transaction: makes about `limit` jobs, or a few more where it is done with
    /// that.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn step_recovery(
        &self,
        id: RecoveryId,
        limit: u32,
        now: Moment,
    ) -> Result<Step, StoreError>;
}
