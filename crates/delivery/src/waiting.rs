//! How many jobs wait is counted now and then, for the plots: it cannot be told afterwards.

use std::sync::Arc;
use std::time::Duration;

use store::DeliveryStatistics;

use crate::time::Timer;

/// How often, in seconds: once for each of the shortest periods that are told.
const PAUSE_SECONDS: u64 = 60;

/// Counts for ever.
pub async fn run_waiting(store: Arc<dyn DeliveryStatistics + Send + Sync>, timer: Arc<dyn Timer>) {
    let mut is_failing = false;
    loop {
        let now = timer.now();
        let counted = store.count_waiting(now).await;
        match &counted {
            // Told when it begins, not every minute.
            Err(error) if !is_failing => {
                tracing::warn!(%error, "how many jobs wait is not counted; tried again in a minute");
            }
            _ => {}
        }
        is_failing = counted.is_err();
        timer
            .sleep_until(now + Duration::from_secs(PAUSE_SECONDS))
            .await;
    }
}
