//! The alarm: wakes lanes when their next job is due.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;

/// The longest sleep: how late a lane may wake when the wall clock was set forward meanwhile.
const SLEEP_SECONDS_MAX: u64 = 30;

/// Runs until the engine is stopped, which also tells it that the alarm has moved.
pub(crate) async fn run(engine: Arc<Engine>) {
    while !engine.lock().is_stopped() {
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
