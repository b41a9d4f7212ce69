//! Verifying what is kept, and having gaps mended.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::gap::{Gap, GapKind};
use domain::id::{IntegrationId, OrderStageId, RecoveryId, WebhookJobId};
use domain::records::Actor;
use domain::recovery::PER_SECOND_MAX;
use domain::time::Moment;
use rusqlite::Connection;
use store::{Change, Count, NewRecovery, RecoveryWork, StoreError, Verified, Verify};

use crate::fault::Fault;
use crate::open::SqliteStore;
use crate::recoveries;
use crate::writing::Writing;

mod jobs;
mod stages;

/// Records that are read at once where a whole database is verified.
const PIECE_RECORDS: u32 = 500;
/// Gaps that one recovery mends: it does so in one step.
const GAPS_PER_RECOVERY_MAX: usize = 500;

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[jobs::STATEMENTS, stages::STATEMENTS];

#[async_trait]
impl Verify for SqliteStore {
    async fn verify_order_stages(
        &self,
        after: OrderStageId,
        limit: u32,
    ) -> Result<Verified<OrderStageId>, StoreError> {
        self.read(move |connection| stages::verify(connection, after, limit))
            .await
    }

    async fn verify_webhook_jobs(
        &self,
        after: WebhookJobId,
        limit: u32,
    ) -> Result<Verified<WebhookJobId>, StoreError> {
        self.read(move |connection| jobs::verify(connection, after, limit))
            .await
    }

    async fn mend(&self, gaps: Vec<Gap>, now: Moment) -> Result<Vec<RecoveryId>, StoreError> {
        let mended = self.write(move |writing| mend(writing, &gaps, now));
        mended.await.map_err(StoreError::from)
    }
}

/// What verifying a whole database came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Whole {
    pub(crate) order_stages: u64,
    pub(crate) webhook_jobs: u64,
    pub(crate) gaps: usize,
}

/// Verifies all that a database holds.
pub(crate) fn whole(connection: &Connection) -> Result<Whole, Fault> {
    let mut whole = Whole::default();
    let mut after = Some(OrderStageId(0));
    while let Some(from) = after {
        let piece = stages::verify(connection, from, PIECE_RECORDS)?;
        whole.order_stages += piece.looked_at;
        whole.gaps += piece.gaps.len();
        after = piece.to;
    }
    let mut after = Some(WebhookJobId(0));
    while let Some(from) = after {
        let piece = jobs::verify(connection, from, PIECE_RECORDS)?;
        whole.webhook_jobs += piece.looked_at;
        whole.gaps += piece.gaps.len();
        after = piece.to;
    }
    Ok(whole)
}

fn mend(writing: &mut Writing, gaps: &[Gap], now: Moment) -> Result<Vec<RecoveryId>, Fault> {
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
            let begun = recoveries::begin::begin(writing, &new, matched, &change)?;
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
