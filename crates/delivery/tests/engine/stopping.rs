//! Shutdown.

use std::time::Duration;

use delivery::Drained;
use store::StoreError;

use crate::receiver::Reply;
use crate::stage::{Stage, path, until};

const GRACE: Duration = Duration::from_secs(30);

/// A lane with four jobs in flight and ten in the queue.
async fn busy() -> Stage {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::Hold);
    stage.store.accept(1, 14);
    until("four are under way", || stage.receiver.open("/1").0 == 4).await;
    stage
}

#[tokio::test]
async fn what_is_in_flight_ends_and_is_recorded_and_nothing_else_starts() {
    let stage = busy().await;
    let engine = stage.engine.clone();
    let stopping = tokio::spawn(async move { engine.shutdown(GRACE).await });
    until("the engine stops", || {
        stage.receiver.reply(&path(1), Reply::status(200));
        stopping.is_finished()
    })
    .await;
    let drained = stopping.await.expect("does not panic");
    assert_eq!(
        drained,
        Drained {
            cut_off: 0,
            unrecorded: 0
        }
    );
    stage.store.accept(1, 5);
    stage.timer.advance(GRACE);
    stage.settle().await;
    let sent = stage.receiver.count("/1");
    assert_eq!(stage.store.outcome_count(), sent);
    assert_eq!(stage.store.waiting(), 19 - sent);
    assert!(sent < 14, "the queue stays in the store");
}

#[tokio::test]
async fn what_outlasts_the_grace_is_cut_off_and_stays_due() {
    let stage = busy().await;
    let engine = stage.engine.clone();
    let stopping = tokio::spawn(async move { engine.shutdown(GRACE).await });
    until("the grace begins", || {
        stage.timer.advance(GRACE / 10);
        stopping.is_finished()
    })
    .await;
    let expected = Drained {
        cut_off: 4,
        unrecorded: 0,
    };
    assert_eq!(stopping.await.expect("does not panic"), expected);
    assert_eq!(
        stage.engine.shutdown(GRACE).await,
        expected,
        "the same again"
    );
    assert_eq!(stage.store.waiting(), 14);
    assert_eq!(stage.store.outcome_count(), 0);
}

#[tokio::test]
async fn outcomes_that_the_store_does_not_take_in_time_are_counted() {
    let stage = Stage::new(1).await;
    let away = StoreError::Unavailable("the disk is full".to_owned());
    stage.store.fail_records(vec![away; 1_000]);
    stage.store.accept(1, 3);
    until("they are attempted", || {
        stage.engine.stats().unrecorded == 3
    })
    .await;
    let engine = stage.engine.clone();
    let stopping = tokio::spawn(async move { engine.shutdown(GRACE).await });
    until("the engine gives up", || {
        stage.timer.advance(Duration::from_millis(100));
        stopping.is_finished()
    })
    .await;
    let drained = stopping.await.expect("does not panic");
    assert_eq!(
        drained,
        Drained {
            cut_off: 0,
            unrecorded: 3
        }
    );
}

#[tokio::test]
async fn an_idle_engine_stops_at_once() {
    let stage = Stage::new(3).await;
    let drained = stage.engine.shutdown(GRACE).await;
    assert_eq!(
        drained,
        Drained {
            cut_off: 0,
            unrecorded: 0
        }
    );
}
