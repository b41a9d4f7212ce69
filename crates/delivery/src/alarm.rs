//! The alarm: wakes lanes when their next job is due.

use std::sync::Arc;
use std::time::Duration;

use domain::time::Moment;

use crate::engine::Engine;

/// The longest sleep: how late a lane may wake when the wall clock was set meanwhile.
const SLEEP_SECONDS_MAX: u64 = 5;
/// How far the clock must have been set to be acted upon, in seconds: more than small corrections come to.
const SET_SECONDS_MIN: u64 = 2;

/// Runs until the engine is stopped, which also tells it that the alarm has moved.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut seen = Seen::now(&engine);
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

/// What the clocks showed at one moment.
#[derive(Clone, Copy)]
struct Seen {
    wall: Moment,
    steady: Duration,
}

impl Seen {
    fn now(engine: &Engine) -> Seen {
        Seen {
            wall: engine.timer.now(),
            steady: engine.timer.steady(),
        }
    }

    /// By how many microseconds the wall clock was set since `before`; back, where they are negative.
    fn set_since(self, before: Seen) -> i64 {
        let passed = self.steady.saturating_sub(before.steady).as_micros();
        let passed = i64::try_from(passed).unwrap_or(i64::MAX);
        let shown = self.wall.microseconds() - before.wall.microseconds();
        shown.saturating_sub(passed)
    }
}

/// Brings along what is counted from moments before the clock was set, if it was since `before`. Returns what the clocks
/// were seen to show.
///
/// Set back, everything that waits would wait for longer than it was to: the store has it due earlier. Set forward,
/// what falls due is attempted once. In both cases nothing is older by it.
async fn follow_clock(engine: &Arc<Engine>, before: Seen) -> Seen {
    let seen = Seen::now(engine);
    let set = seen.set_since(before);
    let by = Duration::from_micros(set.unsigned_abs());
    if by < Duration::from_secs(SET_SECONDS_MIN) {
        return seen;
    }
    if let Err(error) = engine.store.clock_set(set, seen.wall).await {
        tracing::warn!(%error, "the clock was set; what waits is brought along in a moment");
        return before;
    }
    let seconds = set / 1_000_000;
    tracing::warn!(seconds, "the clock was set; what waits is brought along");
    engine.update(|dispatch, now| dispatch.clock_set(set, now));
    seen
}
