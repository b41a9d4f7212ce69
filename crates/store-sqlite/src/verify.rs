//! Verifying what is kept, and having gaps mended.

use async_trait::async_trait;
use domain::gap::Gap;
use domain::id::{OrderStageId, RecoveryId, WebhookJobId};
use domain::records::Actor;
use domain::time::Moment;
use rusqlite::Connection;
use store::rules::verify as rules;
use store::{Change, StoreError, Verified, Verify};

use crate::fault::Fault;
use crate::open::SqliteStore;
use crate::recoveries;
use crate::writing::Writing;

mod jobs;
mod stages;

/// Records that are read at once where a whole database is verified.
const PIECE_RECORDS: u32 = 500;

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
    let mut begun_ids = Vec::new();
    for (new, matched) in rules::recoveries(gaps) {
        let change = Change {
            actor: Actor::CommandLine,
            at: now,
            request_id: None,
        };
        let begun = recoveries::begin::begin(writing, &new, matched, &change)?;
        begun_ids.extend(begun.record.id);
    }
    Ok(begun_ids)
}
