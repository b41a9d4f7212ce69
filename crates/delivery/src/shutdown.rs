//! Shutdown: start nothing, let end what is under way, record everything.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::engine::Engine;

/// How long the recorder has for what is left, in seconds, after the attempts have ended or were cut.
const FLUSH_SECONDS_MAX: u64 = 5;

/// How an engine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Attempts that the grace was too short for: their jobs stay due, and are attempted again.
    pub cut_off: usize,
    /// Attempts whose outcome could not be recorded: their jobs stay due, and may arrive twice.
    pub unrecorded: usize,
}

impl Engine {
    /// Starts nothing more, waits up to `grace` for what is in flight, cuts off the rest, and records all
    /// outcomes. Further calls wait for the same end and return the same.
    pub async fn shutdown(self: &Arc<Self>, grace: Duration) -> Drained {
        *self.drained.get_or_init(|| self.drain(grace)).await
    }

    async fn drain(self: &Arc<Self>, grace: Duration) -> Drained {
        self.lock().stop();
        self.alarm_moved.notify_one();
        self.tasks.close();
        self.wait(&self.tasks, grace).await;
        self.cut.cancel();
        self.tasks.wait().await;
        self.closing.cancel();
        let flush = Duration::from_secs(FLUSH_SECONDS_MAX);
        self.wait(&self.recorder, flush).await;
        self.abandon.cancel();
        self.recorder.wait().await;
        let stats = self.stats();
        let drained = Drained {
            cut_off: stats.in_flight,
            unrecorded: stats.unrecorded,
        };
        tracing::info!(
            cut_off = drained.cut_off,
            unrecorded = drained.unrecorded,
            "deliveries have stopped"
        );
        drained
    }

    async fn wait(&self, tasks: &TaskTracker, limit: Duration) {
        let until = self.timer.now() + limit;
        tokio::select! {
            () = tasks.wait() => {}
            () = self.timer.sleep_until(until) => {}
        }
    }
}
