//! Claims: reading from the store what is due.

use std::sync::Arc;

use store::StoreError;

use crate::dispatch::{Claim, Claimed};
use crate::engine::Engine;
use crate::lane::Wanted;

/// Asks the store, and hands the answer to the lane.
pub(crate) async fn run(engine: Arc<Engine>, claim: Claim) {
    let claimed = match ask(&engine, claim).await {
        Ok(claimed) => claimed,
        Err(error) => {
            tracing::warn!(
                webhook_out_sub_id = claim.lane.0,
                %error,
                "due jobs cannot be read; tried again in a moment"
            );
            Claimed::Failed
        }
    };
    engine.update(|dispatch, now| dispatch.claimed(claim.lane, claimed, now));
}

async fn ask(engine: &Engine, claim: Claim) -> Result<Claimed, StoreError> {
    let store = &engine.store;
    Ok(match claim.wanted {
        Wanted::DueJobs(limit) => {
            let now = engine.timer.now();
            Claimed::DueJobs(store.due_jobs(claim.lane, now, limit).await?)
        }
        Wanted::OldestJob => Claimed::OldestJob(store.oldest_job(claim.lane).await?),
    })
}
