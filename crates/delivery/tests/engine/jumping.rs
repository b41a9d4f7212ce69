//! A wall clock that is set forward or back: no storm of retries, and nothing that waits for longer than a step.

use std::time::Duration;

use domain::health::HealthState;
use domain::retry::RetryPolicy;
use domain::time::Clock;
use store::StoreError;

use crate::receiver::Reply;
use crate::stage::{Stage, path, settings, until};

const HOUR: Duration = Duration::from_secs(60 * 60);
const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// The one step of the schedule here, at its longest: with jitter.
const STEP: Duration = Duration::from_secs(110);
/// Jobs that wait for their next attempt.
const JOBS: usize = 12;

/// A lane whose jobs were all refused once.
async fn waiting() -> Stage {
    let schedule = vec![Duration::from_secs(100)];
    let settings = delivery::Settings {
        retry: RetryPolicy::new(schedule, HOUR).expect("is a policy"),
        ..settings()
    };
    let stage = Stage::with(1, settings, |_, _| ()).await;
    stage.receiver.reply(&path(1), Reply::status(422));
    stage.store.accept(1, JOBS);
    stage.recorded(JOBS).await;
    stage.settle().await;
    stage
}

#[tokio::test]
async fn set_back_nothing_waits_for_longer_than_its_step() {
    for by in [HOUR, MONTH] {
        let stage = waiting().await;
        let before = stage.timer.now();
        stage.timer.jump(before - by);
        until("what waits is brought along", || {
            stage.store.last_due_at() <= stage.timer.now() + STEP
        })
        .await;
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), JOBS, "nothing is sent early");
        stage.timer.advance(STEP);
        stage.recorded(2 * JOBS).await;
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), 2 * JOBS);
    }
}

#[tokio::test]
async fn set_back_while_the_store_fails_it_is_brought_along_later() {
    let stage = waiting().await;
    let outage = StoreError::Unavailable("no disk".to_owned());
    stage.store.fail_records(vec![outage.clone(), outage]);
    stage.timer.jump(stage.timer.now() - HOUR);
    stage.settle().await;
    // As time goes on the alarm looks again.
    until("what waits is brought along", || {
        stage.timer.advance(Duration::from_secs(1));
        stage.receiver.count("/1") > JOBS
    })
    .await;
}

#[tokio::test]
async fn set_back_what_was_left_to_the_store_goes_out_all_the_same() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::Hold);
    // More than the queue of a lane holds.
    stage.store.accept(1, 700);
    until("four are under way", || stage.receiver.open("/1").0 == 4).await;
    stage.timer.jump(stage.timer.now() - HOUR);
    until("all are delivered", || {
        stage.receiver.reply(&path(1), Reply::status(200));
        stage.store.waiting() == 0
    })
    .await;
    assert_eq!(stage.receiver.count("/1"), 700);
}

#[tokio::test]
async fn set_forward_everything_is_attempted_once_and_is_no_older_by_it() {
    for by in [HOUR, MONTH] {
        let stage = waiting().await;
        stage.timer.jump(stage.timer.now() + by);
        stage.recorded(2 * JOBS).await;
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), 2 * JOBS, "one attempt each");
        stage.timer.advance(STEP);
        stage.recorded(3 * JOBS).await;
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), 3 * JOBS);
        assert_eq!(stage.store.waiting(), JOBS, "none is given up");
        assert_eq!(stage.store.sub(1).health.state, HealthState::Healthy);
    }
}
