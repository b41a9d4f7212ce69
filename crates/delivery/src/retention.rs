//! What is final and old is removed: rounds of small steps with long pauses, so that deliveries hardly notice.
//!
//! A round that is cut off leaves nothing half done: each step is a transaction, and the next round finds what is left.

use std::sync::Arc;
use std::time::Duration;

use metrics::counter;
use store::{Removed, Retention, RetentionPlace, RetentionPolicy, StoreError};

use crate::time::Timer;

/// Records that one step removes: some milliseconds of the writer's time, which changes wait for.
const STEP_RECORDS: u32 = 100;
/// How many times as long as a step a pause is: removing takes a tenth of the writer's time at most.
const PAUSE_FACTOR: u32 = 9;
/// Longest pause between two steps, in seconds: one that was slow for another reason shall not end the round.
const PAUSE_SECONDS_MAX: u64 = 10;
/// How long a rest between two rounds is at most, in seconds: what has become old meanwhile is little.
const REST_SECONDS_MAX: u64 = 600;
/// Shortest rest, in seconds.
const REST_SECONDS_MIN: u64 = 1;
/// The part of the shortest time of keeping that a rest takes, as its divisor: nothing is kept for much longer than was said.
const REST_SHARE: u32 = 10;

/// Removes what is old, for ever.
pub async fn run_retention(
    store: Arc<dyn Retention + Send + Sync>,
    timer: Arc<dyn Timer>,
    policy: RetentionPolicy,
) {
    let mut is_failing = false;
    loop {
        let round = round(&*store, &*timer, policy).await;
        match &round {
            // Told when it begins, not with every round.
            Err(error) if !is_failing => {
                tracing::warn!(%error, "what is old is not removed; tried again after a rest");
            }
            Err(_) => {}
            Ok((removed, pages)) => tell(removed, *pages),
        }
        is_failing = round.is_err();
        timer.sleep_until(timer.now() + rest(&policy)).await;
    }
}

/// Takes all steps of a round; what it removed, and how many pages of the database it gave back.
async fn round(
    store: &(dyn Retention + Send + Sync),
    timer: &dyn Timer,
    policy: RetentionPolicy,
) -> Result<(Removed, u64), StoreError> {
    let (mut removed, mut pages) = (Removed::default(), 0);
    let mut next = Some(RetentionPlace::FIRST);
    while let Some(place) = next {
        let began = timer.steady();
        let now = timer.now();
        let step = store.remove_old(place, policy, STEP_RECORDS, now).await?;
        count(&step.removed);
        removed.add_all(&step.removed);
        pages += step.pages;
        next = step.next;
        let took = timer.steady().saturating_sub(began);
        let pause = (took * PAUSE_FACTOR).min(Duration::from_secs(PAUSE_SECONDS_MAX));
        timer.sleep_until(timer.now() + pause).await;
    }
    Ok((removed, pages))
}

fn count(removed: &Removed) {
    for (what, records) in removed.each().filter(|(_, records)| *records > 0) {
        counter!("postrider_removed_total", "what" => what.name()).increment(records);
    }
}

/// Logs a round that removed something.
fn tell(removed: &Removed, pages: u64) {
    if removed.total() == 0 && pages == 0 {
        return;
    }
    let each = removed.each().filter(|(_, records)| *records > 0);
    let each: Vec<String> = each
        .map(|(what, records)| format!("{} {records}", what.name()))
        .collect();
    tracing::info!(removed = each.join(", "), pages, "what was old is removed");
}

/// How long the rest between two rounds is.
fn rest(policy: &RetentionPolicy) -> Duration {
    let kept = policy.jobs.min(policy.audit_events);
    let kept = kept.min(policy.notifications);
    let kept = policy.payloads.map_or(kept, |payloads| kept.min(payloads));
    let (min, max) = (REST_SECONDS_MIN, REST_SECONDS_MAX);
    (kept / REST_SHARE).clamp(Duration::from_secs(min), Duration::from_secs(max))
}
