//! Outcomes reach the store, whatever becomes of it meanwhile.

use std::time::Duration;

use store::StoreError;

use crate::receiver::Reply;
use crate::stage::{Stage, path, until};

fn away() -> StoreError {
    StoreError::Unavailable("the disk is full".to_owned())
}

#[tokio::test]
async fn an_outage_loses_no_outcome_and_sends_nothing_twice() {
    let stage = Stage::new(2).await;
    stage.receiver.reply(&path(2), Reply::status(503));
    stage.store.fail_records(vec![away(); 3]);
    stage.store.accept(1, 100);
    stage.store.accept(2, 1);
    for failures in 1..=3 {
        until("recording fails", || {
            stage.store.record_failures() == failures
        })
        .await;
        assert!(
            stage.receiver.count("/2") <= 1,
            "a failure that is not recorded"
        );
        stage.timer.advance(Duration::from_secs(20));
    }
    // The retry was due during the outage, and goes out once the failure is recorded.
    stage.recorded(102).await;
    stage.settle().await;
    assert_eq!(stage.receiver.count("/1"), 100);
    assert_eq!(stage.receiver.count("/2"), 2);
    assert_eq!(stage.store.outcome_count(), 102);
    assert_eq!(stage.store.waiting(), 1);
    assert!(
        stage.store.batches().len() < 20,
        "{:?}",
        stage.store.batches()
    );
}

#[tokio::test]
async fn a_long_outage_stops_the_sending_and_nothing_is_lost() {
    const JOBS: usize = 7_000;
    /// What waits for the recorder, what it holds, and what is in flight.
    const SENT_MAX: usize = 4_096 + 512 + 32;
    let stage = Stage::new(1).await;
    stage.store.fail_records(vec![away()]);
    stage.store.accept(1, JOBS);
    until("the sending has stopped", || {
        assert!(stage.receiver.count("/1") <= SENT_MAX);
        let stats = stage.engine.stats();
        stats.unrecorded > 4_096 && stats.in_flight == 32 && stage.receiver.open("/1").0 == 0
    })
    .await;
    assert!(stage.store.waiting() == JOBS);
    stage.timer.advance(Duration::from_secs(1));
    stage.recorded(JOBS).await;
    stage.settle().await;
    assert_eq!(stage.receiver.count("/1"), JOBS, "each once");
    assert_eq!(stage.store.outcome_count(), JOBS);
    assert!(stage.store.batches().iter().all(|batch| *batch <= 512));
}

#[tokio::test]
async fn nothing_is_started_once_outcomes_wait_for_longer_than_a_second() {
    let stage = Stage::new(1).await;
    stage.store.fail_records(vec![away(); 4]);
    stage.store.accept(1, 1);
    until("recording fails", || stage.store.record_failures() == 1).await;
    stage.store.accept(1, 1);
    until("it is sent all the same", || {
        stage.receiver.count("/1") == 2 && stage.engine.stats().in_flight == 0
    })
    .await;
    for failures in 2..=4 {
        stage.timer.advance(Duration::from_secs(5));
        until("recording fails again", || {
            stage.store.record_failures() == failures
        })
        .await;
        stage.store.accept(1, 1);
        assert_eq!(stage.engine.stats().in_flight, 0, "{failures} failures");
    }
    stage.timer.advance(Duration::from_secs(5));
    stage.recorded(5).await;
    stage.settle().await;
    assert_eq!(stage.receiver.count("/1"), 5, "each once");
}

#[tokio::test]
async fn one_outcome_that_the_store_chokes_on_does_not_hold_up_the_others() {
    let stage = Stage::new(2).await;
    stage.receiver.reply(&path(1), Reply::Hold);
    let poison = stage.store.accept(1, 4)[2];
    stage.store.choke_on(poison);
    until("they are under way", || stage.receiver.open("/1").0 == 4).await;
    stage.receiver.reply(&path(1), Reply::status(200));
    stage.store.accept(2, 50);
    until("all others are recorded", || {
        stage.timer.advance(Duration::from_millis(100));
        stage.store.outcome_count() == 53
    })
    .await;
    assert_eq!(stage.receiver.count("/1"), 4);
    stage.timer.advance(Duration::from_secs(3_600));
    stage.store.accept(1, 10);
    stage.recorded(63).await;
    assert_eq!(stage.receiver.count("/1"), 14, "it is not sent again");
    assert_eq!(stage.store.waiting(), 1);
    assert_eq!(stage.engine.stats().unrecorded, 1);
}
