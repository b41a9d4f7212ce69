//! Verifying what is kept, and having gaps mended.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::gap::{Gap, GapKind};
use domain::id::{IntegrationId, OrderStageId, RecoveryId, WebhookJobId};
use domain::records::Actor;
use domain::recovery::PER_SECOND_MAX;
use domain::time::Moment;
use futures_util::FutureExt;
use store::{Change, Count, NewRecovery, RecoveryWork, StoreError, Verified, Verify};

use crate::fault::Fault;
use crate::open::PostgresStore;
use crate::recoveries;
use crate::writing::Writing;

mod jobs;
mod stages;

/// Gaps that one recovery mends: it does so in one step.
const GAPS_PER_RECOVERY_MAX: usize = 500;

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
    let mut by_integration: BTreeMap<IntegrationId, Vec<&Gap>> = BTreeMap::new();
    let mendable = gaps.iter().filter(|gap| gap.kind.is_mendable());
    for gap in mendable {
        by_integration
            .entry(gap.integration_id)
            .or_default()
            .push(gap);
    }
    let mut begun_ids = Vec::new();
    for (integration_id, gaps) in by_integration {
        for piece in gaps.chunks(GAPS_PER_RECOVERY_MAX) {
            let new = NewRecovery {
                integration_id,
                work: work(piece),
                per_second: PER_SECOND_MAX,
                idempotency: None,
            };
            let change = Change {
                actor: Actor::CommandLine,
                at: now,
                request_id: None,
            };
            let matched = Count {
                count: piece.len() as u64,
                capped: false,
            };
            let begun = recoveries::begin::begin(writing, &new, matched, &change).await?;
            begun_ids.extend(begun.record.id);
        }
    }
    Ok(begun_ids)
}

fn work(gaps: &[&Gap]) -> RecoveryWork {
    let of = |kind| gaps.iter().filter(move |gap| gap.kind == kind);
    let missing = of(GapKind::MissingJob);
    RecoveryWork::Mend {
        missing: missing
            .filter_map(|gap| Some((gap.order_stage_id?, gap.webhook_out_sub_id)))
            .collect(),
        sleeping: of(GapKind::SleepingJob)
            .filter_map(|gap| gap.webhook_job_id)
            .collect(),
    }
}
