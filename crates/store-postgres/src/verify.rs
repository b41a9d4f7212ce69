//! Verifying what is kept, and having gaps mended.

use async_trait::async_trait;
use domain::gap::Gap;
use domain::id::{OrderStageId, RecoveryId, WebhookJobId};
use domain::records::Actor;
use domain::time::Moment;
use futures_util::FutureExt;
use store::rules::verify as rules;
use store::{Change, StoreError, Verified, Verify};

use crate::fault::Fault;
use crate::open::PostgresStore;
use crate::recoveries;
use crate::writing::Writing;

mod jobs;
mod stages;

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[jobs::STATEMENTS, stages::STATEMENTS];

#[async_trait]
impl Verify for PostgresStore {
    async fn verify_order_stages(
        &self,
        after: OrderStageId,
        limit: u32,
    ) -> Result<Verified<OrderStageId>, StoreError> {
        let reading = self.snapshot().await?;
        Ok(stages::verify(&reading.connection, after, limit).await?)
    }

    async fn verify_webhook_jobs(
        &self,
        after: WebhookJobId,
        limit: u32,
    ) -> Result<Verified<WebhookJobId>, StoreError> {
        let reading = self.snapshot().await?;
        Ok(jobs::verify(&reading.connection, after, limit).await?)
    }

    async fn mend(&self, gaps: Vec<Gap>, now: Moment) -> Result<Vec<RecoveryId>, StoreError> {
        let mended = self.write((gaps, now), |writing, (gaps, now)| {
            mend(writing, gaps, *now).boxed()
        });
        mended.await.map_err(StoreError::from)
    }
}

async fn mend(writing: &mut Writing, gaps: &[Gap], now: Moment) -> Result<Vec<RecoveryId>, Fault> {
    let mut begun_ids = Vec::new();
    for (new, matched) in rules::recoveries(gaps) {
        let change = Change {
            actor: Actor::CommandLine,
            at: now,
            request_id: None,
        };
        let begun = recoveries::begin::begin(writing, &new, matched, &change).await?;
        begun_ids.extend(begun.record.id);
    }
    Ok(begun_ids)
}
