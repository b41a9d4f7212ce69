//! Workers: each holds a slot, sends a job, and goes on with whatever is next, of any lane.

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::attempt;
use crate::engine::Engine;
use crate::judge::{Judged, crashed, judge};
use crate::lane::Start;

/// Works until there is nothing more to start.
pub(crate) async fn work(engine: Arc<Engine>, mut start: Start) {
    loop {
        let judged = attempt(&engine, &start).await;
        // Waits while the recorder is far behind: nothing is sent that cannot be recorded soon.
        let Ok(permit) = engine.outcomes.reserve().await else {
            return;
        };
        match engine.ended(&start, judged, permit) {
            Some(next) => start = next,
            None => return,
        }
    }
}

/// Makes one attempt. A defect of ours costs this attempt and no other.
async fn attempt(engine: &Engine, start: &Start) -> Judged {
    let started_at = engine.timer.now();
    let sending = attempt::send(&engine.client, start, &engine.settings, started_at);
    let sent = AssertUnwindSafe(pin!(sending)).catch_unwind().await;
    let now = engine.timer.now();
    let job_id = start.job.id.0;
    match sent {
        Ok(Ok(exchange)) => {
            let judged = judge(start, exchange, started_at, now);
            let outcome = judged.attempt.outcome.name();
            tracing::debug!(
                job_id,
                outcome,
                status_code = judged.attempt.status_code,
                "attempted"
            );
            judged
        }
        Ok(Err(error)) => {
            tracing::error!(job_id, %error, "an attempt cannot be written");
            crashed(start, started_at, now)
        }
        Err(_) => {
            tracing::error!(job_id, "an attempt panicked");
            crashed(start, started_at, now)
        }
    }
}
