//! The alarm: wakes lanes when their next job is due.

use std::sync::Arc;
use std::time::Duration;

use domain::time::Moment;

use crate::engine::Engine;

/// The longest sleep: how late a lane may wake when the wall clock was set meanwhile.
const SLEEP_SECONDS_MAX: u64 = 5;
/// How far the clock must have been set back to be acted upon, in seconds: what corrections by little come to.
const SET_BACK_SECONDS_MIN: u64 = 2;

/// Runs until the engine is stopped, which also tells it that the alarm has moved.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut seen = engine.timer.now();
    while !engine.lock().is_stopped() {
        seen = follow_clock(&engine, seen).await;
        engine.update(|dispatch, now| dispatch.wake(now));
        // Only now: what was begun in that moment may have set alarms of its own.
        let next = engine.lock().next_alarm();
        let latest = engine.timer.now() + Duration::from_secs(SLEEP_SECONDS_MAX);
        let until = next.map_or(latest, |next| next.min(latest));
        tokio::select! {
            () = engine.timer.sleep_until(until) => {}
            () = engine.alarm_moved.notified() => {}
        }
    }
}

/// Brings everything that waits along where the clock was set back since it was `seen`. Returns what it was seen to
/// show.
async fn follow_clock(engine: &Arc<Engine>, seen: Moment) -> Moment {
    let now = engine.timer.now();
    let by = seen.since(now);
    if by < Duration::from_secs(SET_BACK_SECONDS_MIN) {
        return now;
    }
    match engine.store.clock_set_back(by, now).await {
        Ok(()) => {
            tracing::warn!(
                seconds = by.as_secs(),
                "the clock was set back; what waits is brought along"
            );
            engine.update(|dispatch, now| dispatch.ask_anew(now));
            now
        }
        Err(error) => {
            tracing::warn!(%error, "the clock was set back; what waits is brought along in a moment");
            seen
        }
    }
}
