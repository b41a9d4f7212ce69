//! Verifying what is kept: piece by piece, each on one consistent view, while the work goes on.

use async_trait::async_trait;
use domain::gap::Gap;
use domain::id::{OrderStageId, RecoveryId, WebhookJobId};
use domain::time::Moment;

use crate::error::StoreError;

/// What a piece came to.
#[derive(Clone, Debug)]
pub struct Verified<Id> {
    /// The last record of the piece; none where there was none.
    pub to: Option<Id>,
    /// How many records there were.
    pub looked_at: u64,
    /// How many of them could not be judged, since what they were made by is not known any more.
    pub not_judged: u64,
    /// What is wrong with them.
    pub gaps: Vec<Gap>,
}

/// Verifying.
#[async_trait]
pub trait Verify {
    /// Whether each of the next changes has exactly the jobs that it should have.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn verify_order_stages(
        &self,
        after: OrderStageId,
        limit: u32,
    ) -> Result<Verified<OrderStageId>, StoreError>;

    /// Whether each of the next jobs is final or has something to wait for, and none overtook another.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn verify_webhook_jobs(
        &self,
        after: WebhookJobId,
        limit: u32,
    ) -> Result<Verified<WebhookJobId>, StoreError>;

    /// Has these gaps mended, as far as that does no harm, by a recovery of each integration: by the server that runs, or
    /// the next one. Returns these recoveries.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn mend(&self, gaps: Vec<Gap>, now: Moment) -> Result<Vec<RecoveryId>, StoreError>;
}
