//! Many lanes whose receivers never answer, beside some that work.

use std::time::Duration;

use delivery::Settings;

use crate::receiver::Reply;
use crate::stage::{Stage, path, settings, until};

const SLOTS: usize = 64;
/// The lanes that work; the dead ones come after them.
const HEALTHY: i64 = 5;
const DEAD: std::ops::RangeInclusive<i64> = 6..=205;

async fn stage() -> Stage {
    let settings = Settings {
        in_flight_max: SLOTS,
        ..settings()
    };
    let stage = Stage::with(*DEAD.end(), settings, |_, _| ()).await;
    for lane in 1..=HEALTHY {
        stage.store.accept(lane, 1);
    }
    stage.recorded(5).await;
    stage
}

fn stuck(stage: &Stage) -> usize {
    DEAD.map(|lane| stage.receiver.open(&path(lane)).0).sum()
}

/// Accepts jobs for every lane that works; all are under way while nothing of the dead ones has ended.
async fn assert_healthy_start_at_once(stage: &Stage, jobs: usize) {
    let before = stuck(stage);
    for lane in 1..=HEALTHY {
        stage.receiver.reply(&path(lane), Reply::Hold);
        stage.store.accept(lane, jobs);
    }
    for lane in 1..=HEALTHY {
        until("all jobs of a lane that works are under way", || {
            stage.receiver.open(&path(lane)).0 == jobs
        })
        .await;
    }
    assert_eq!(stuck(stage), before, "no slot had to come free first");
}

#[tokio::test]
async fn however_many_receivers_hang_half_of_the_slots_stay_for_those_that_work() {
    let stage = stage().await;
    for lane in DEAD {
        stage.receiver.reply(&path(lane), Reply::Hold);
        stage.store.accept(lane, 10);
    }
    until("the dead hang in all that they may hold", || {
        stuck(&stage) == SLOTS / 2
    })
    .await;
    assert_healthy_start_at_once(&stage, 4).await;
    assert_eq!(stage.engine.stats().in_flight, SLOTS / 2 + 5 * 4);
}

#[tokio::test]
async fn a_lane_that_was_quiet_does_not_wait_behind_those_that_fail() {
    let stage = stage().await;
    for lane in DEAD {
        stage.receiver.reply(&path(lane), Reply::status(503));
        stage.store.accept(lane, 1);
    }
    stage.recorded(205).await;
    // The next attempts hang, and the last success of the others is long ago.
    for lane in DEAD {
        stage.receiver.reply(&path(lane), Reply::Hold);
    }
    stage.timer.advance(Duration::from_secs(90));
    until("those that failed hang in all that they may hold", || {
        stuck(&stage) >= SLOTS / 4
    })
    .await;
    assert_healthy_start_at_once(&stage, 1).await;
}

#[tokio::test]
async fn lanes_that_worked_a_while_ago_do_not_take_everything_when_they_hang() {
    let stage = stage().await;
    for lane in DEAD {
        stage.store.accept(lane, 1);
    }
    stage.recorded(205).await;
    stage.timer.advance(Duration::from_secs(20));
    for lane in 1..=HEALTHY {
        stage.store.accept(lane, 1);
    }
    stage.recorded(210).await;
    for lane in DEAD {
        stage.receiver.reply(&path(lane), Reply::Hold);
        stage.store.accept(lane, 10);
    }
    until("the dead hang in all that they may hold", || {
        stuck(&stage) == SLOTS / 2
    })
    .await;
    assert_healthy_start_at_once(&stage, 4).await;
}
