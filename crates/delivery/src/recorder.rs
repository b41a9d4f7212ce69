//! The recorder: has outcomes committed, many in each transaction.
//!
//! While one batch is being committed the next gathers. When the store fails, the batch is kept and
//! tried again; the queue behind it fills, and the workers wait: no outcome is lost, and nothing is sent
//! twice because recording was slow.

use std::sync::Arc;
use std::time::Duration;

use store::{NextStep, Outcome, StoreError};
use tokio::sync::mpsc;

use crate::engine::Engine;

/// Most outcomes that wait for the recorder: a second of trouble at full speed goes by unnoticed.
pub(crate) const OUTCOMES_WAITING_MAX: usize = 4_096;
/// Most outcomes in one transaction: bounds how long it holds up the store's writer, some 10 ms. Fewer let those of many lanes
/// wait for as many commits, while each takes in a thousand new jobs.
const OUTCOMES_PER_RECORD_MAX: usize = 512;
/// Most of them where there are failures, each of which may take ten times as long as a success: some 3 ms. Thousands of
/// receivers that hang fail at once when their time is up.
const FAILURES_PER_RECORD_MAX: usize = 32;
/// The pause after a failure; doubled up to the maximum while failures go on.
const PAUSE_MILLISECONDS: u64 = 250;
const PAUSE_MILLISECONDS_MAX: u64 = 5_000;
/// How long outcomes may wait to be recorded before nothing new is started, in seconds: whatever is sent meanwhile would be sent
/// again, should this process end or another one take its lanes.
pub(crate) const UNRECORDED_SECONDS_MAX: u64 = 1;
/// How often one single outcome that the store chokes on is tried before the others go on without it.
const TRIES_OF_ONE_MAX: u32 = 5;

/// Runs until the engine is shut down and everything is recorded.
pub(crate) async fn run(engine: Arc<Engine>, mut outcomes: mpsc::Receiver<Outcome>) {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            biased;
            count = outcomes.recv_many(&mut batch, OUTCOMES_PER_RECORD_MAX) => {
                if count == 0 {
                    return;
                }
            }
            () = engine.closing.cancelled(), if !outcomes.is_closed() => {
                outcomes.close();
                continue;
            }
        }
        record_all(&engine, std::mem::take(&mut batch)).await;
    }
}

/// Records a batch, however long it takes.
///
/// A store that is unavailable is tried again with the whole batch. One that fails otherwise may choke on a
/// single outcome; the piece is halved until that one is alone, so that it does not silence all lanes.
async fn record_all(engine: &Arc<Engine>, batch: Vec<Outcome>) {
    let batch: Arc<[Outcome]> = batch.into();
    let mut rest = &*batch;
    let has_failures = batch
        .iter()
        .any(|outcome| outcome.next != NextStep::Delivered);
    let mut size = if has_failures {
        FAILURES_PER_RECORD_MAX
    } else {
        batch.len()
    };
    let mut failures = Failures::default();
    while !rest.is_empty() {
        engine.begins_to_record();
        let (piece, others) = rest.split_at(size.min(rest.len()));
        // Copied only where the store chokes on the whole.
        let recorded = if piece.len() == batch.len() {
            batch.clone()
        } else {
            piece.into()
        };
        match engine.store.record(recorded).await {
            Ok(()) => {
                failures.end();
                engine.ends_recording();
                engine.update(|dispatch, now| dispatch.recorded(piece, now));
                rest = others;
            }
            Err(error) => {
                failures.note(&error, piece.len());
                if failures.of_one >= TRIES_OF_ONE_MAX {
                    set_aside(piece, &error);
                    failures.of_one = 0;
                    engine.ends_recording();
                    rest = others;
                    continue;
                }
                if !matches!(error, StoreError::Unavailable(_)) {
                    size = (piece.len() / 2).max(1);
                }
                engine
                    .timer
                    .sleep_until(engine.timer.now() + failures.pause)
                    .await;
            }
        }
    }
}

/// Leaves an outcome unrecorded. Its job stays in memory, so that it is not sent again before a restart.
fn set_aside(outcomes: &[Outcome], error: &StoreError) {
    for outcome in outcomes {
        let job_id = outcome.job_id.0;
        let result = outcome.attempt.outcome.name();
        tracing::error!(job_id, result, %error, "an outcome cannot be recorded and is set aside");
    }
}

/// An outage, as it goes on.
struct Failures {
    is_told: bool,
    pause: Duration,
    /// How often one single outcome failed in a row, for another reason than an unavailable store.
    of_one: u32,
}

impl Failures {
    fn note(&mut self, error: &StoreError, outcomes: usize) {
        if self.is_told {
            self.pause = (self.pause * 2).min(Duration::from_millis(PAUSE_MILLISECONDS_MAX));
        } else {
            self.is_told = true;
            tracing::error!(outcomes, %error, "outcomes cannot be recorded; tried until they are");
        }
        if outcomes == 1 && !matches!(error, StoreError::Unavailable(_)) {
            self.of_one += 1;
        } else {
            self.of_one = 0;
        }
    }

    fn end(&mut self) {
        if self.is_told {
            tracing::info!("outcomes are recorded again");
        }
        *self = Failures::default();
    }
}

impl Default for Failures {
    fn default() -> Failures {
        Failures {
            is_told: false,
            pause: Duration::from_millis(PAUSE_MILLISECONDS),
            of_one: 0,
        }
    }
}
