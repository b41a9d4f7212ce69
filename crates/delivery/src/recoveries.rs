//! Recoveries go on: each step when its pace allows, until none is left.
//!
//! All that is known of one is in the store, so that it goes on after a restart, and it is there that one is stopped. Looking
//! now and then for new ones costs one short query.

use std::sync::Arc;
use std::time::Duration;

use domain::id::RecoveryId;
use domain::recovery::Recovery;
use domain::time::Moment;
use store::{Recoveries, Step, StoreError};

use crate::time::Timer;

/// How often the store is asked for recoveries, in milliseconds: how long a new one waits at most.
const LOOK_MILLISECONDS: u64 = 500;
/// Steps a second of one recovery, where its pace allows: enough to be even, few enough to cost nothing.
const STEPS_PER_SECOND: u32 = 10;
/// How long a recovery pauses whose step failed, in seconds.
const FAILED_SECONDS: u64 = 5;
/// Longest pause between two steps, in seconds.
const PAUSE_SECONDS_MAX: u64 = 60;
/// Most jobs of one step: what a commit holds without holding up others for long.
const STEP_JOBS_MAX: u32 = 500;

/// Goes on with all recoveries, for ever.
pub async fn run_recoveries(store: Arc<dyn Recoveries + Send + Sync>, timer: Arc<dyn Timer>) {
    let mut due: Vec<(RecoveryId, Moment)> = Vec::new();
    let mut is_failing = false;
    loop {
        let round = round(&*store, &*timer, &mut due).await;
        match &round {
            // Told when it begins, not twice a second.
            Err(error) if !is_failing => tracing::warn!(%error, "recoveries do not go on"),
            _ => {}
        }
        is_failing = round.is_err();
        let look_at = timer.now() + Duration::from_millis(LOOK_MILLISECONDS);
        let next = due.iter().map(|(_, at)| *at).min();
        timer
            .sleep_until(next.map_or(look_at, |at| at.min(look_at)))
            .await;
    }
}

/// Takes a step of each that is due, and forgets those that have ended.
async fn round(
    store: &(dyn Recoveries + Send + Sync),
    timer: &dyn Timer,
    due: &mut Vec<(RecoveryId, Moment)>,
) -> Result<(), StoreError> {
    let running = store.running_recoveries().await?;
    due.retain(|(id, _)| running.iter().any(|one| one.id == Some(*id)));
    for recovery in &running {
        let Some(id) = recovery.id else { continue };
        let now = timer.now();
        let planned = due.iter().position(|(known, _)| *known == id);
        if planned.is_some_and(|index| is_later(due[index].1, now)) {
            continue;
        }
        let limit = step_jobs(recovery);
        let wait = match store.step_recovery(id, limit, now).await {
            Ok(step) => pause(&step, recovery),
            Err(error) => {
                tracing::warn!(recovery_id = id.0, %error, "a recovery does not go on; tried again in a while");
                Duration::from_secs(FAILED_SECONDS)
            }
        };
        let next = (id, now + wait);
        match planned {
            Some(index) => due[index] = next,
            None => due.push(next),
        }
    }
    Ok(())
}

/// How long a recovery pauses after a step: for as long as its pace asks for what the step made.
fn pause(step: &Step, recovery: &Recovery) -> Duration {
    match step {
        // It waits for its subscription to be switched on.
        Step { looked_at: 0, .. } => Duration::from_millis(LOOK_MILLISECONDS),
        // What nobody waited for is made as fast as it comes, or there would be no end.
        Step { unpaced: true, .. } => Duration::ZERO,
        Step { made, .. } => {
            let seconds = *made as f64 / f64::from(recovery.per_second);
            Duration::from_secs_f64(seconds.min(PAUSE_SECONDS_MAX as f64))
        }
    }
}

/// Whether a step must still wait. One that would have to wait for long was planned before the clock was set back.
fn is_later(at: Moment, now: Moment) -> bool {
    at > now && at.since(now) <= Duration::from_secs(PAUSE_SECONDS_MAX)
}

/// How many jobs one step looks at.
fn step_jobs(recovery: &Recovery) -> u32 {
    (recovery.per_second / STEPS_PER_SECOND).clamp(1, STEP_JOBS_MAX)
}
