//! Lanes that rest, recover, and are switched off.

use std::time::Duration;

use domain::health::{HealthState, LaneRecord, OffReason};
use domain::id::WebhookJobId;
use domain::time::Clock;

use crate::clock::BEGIN;
use crate::receiver::Reply;
use crate::stage::{Stage, path, until};

/// A lane that rests after its first five jobs have failed, with `more` jobs behind them.
async fn resting(more: usize) -> Stage {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::status(500));
    stage.store.accept(1, 5);
    stage.recorded(5).await;
    stage.settle().await;
    assert_eq!(stage.store.sub(1).health.state, HealthState::Resting);
    stage.store.accept(1, more);
    stage.settle().await;
    assert_eq!(
        stage.receiver.count("/1"),
        5,
        "nothing but the probe is sent"
    );
    stage
}

#[tokio::test]
async fn after_five_endpoint_faults_only_the_oldest_job_probes_when_it_is_due() {
    let stage = resting(20).await;
    let outcomes = stage.store.outcomes();
    let states: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.lane.as_ref().map(|lane| lane.state))
        .collect();
    use HealthState::{Healthy, Resting};
    assert_eq!(states, [Some(Healthy), None, None, None, Some(Resting)]);
    for probe in 1..=10 {
        let due_at = stage.store.job(WebhookJobId(1)).expect("waits").due_at;
        stage.timer.set(due_at - Duration::from_micros(1));
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), 4 + probe);
        stage.timer.set(due_at);
        stage.recorded(5 + probe).await;
        stage.settle().await;
    }
    assert_eq!(stage.receiver.jobs("/1")[5..], [1; 10]);
    assert!(
        stage.store.oldest_claims() < 60,
        "{} claims",
        stage.store.oldest_claims()
    );
}

#[tokio::test]
async fn on_success_the_backlog_goes_out_oldest_first() {
    let stage = resting(20).await;
    stage.store.change(1, |sub| sub.max_in_flight = Some(1));
    stage.receiver.reply(&path(1), Reply::status(200));
    let due_at = stage.store.job(WebhookJobId(1)).expect("waits").due_at;
    stage.timer.set(due_at);
    stage.timer.advance(Duration::from_secs(5));
    stage.recorded(30).await;
    let jobs = stage.receiver.jobs("/1");
    assert_eq!(jobs[5], 1, "the probe");
    let fresh: Vec<i64> = (6..=25).collect();
    assert_eq!(jobs[6..26], fresh, "due since they came");
    let mut retried = jobs[26..].to_vec();
    retried.sort_unstable();
    assert_eq!(retried, [2, 3, 4, 5]);
    assert_eq!(stage.store.sub(1).health.state, HealthState::Healthy);
    assert_eq!(stage.store.waiting(), 0);
}

#[tokio::test]
async fn a_resting_lane_without_jobs_probes_with_the_next_one() {
    let stage = resting(0).await;
    for id in 1..=5 {
        stage.store.cancel(WebhookJobId(id));
    }
    stage.timer.advance(Duration::from_secs(60));
    stage.settle().await;
    assert_eq!(stage.receiver.count("/1"), 5);
    stage.receiver.reply(&path(1), Reply::status(200));
    stage.store.accept(1, 3);
    stage.recorded(8).await;
    assert_eq!(stage.store.waiting(), 0);
}

#[tokio::test]
async fn what_somebody_waits_for_probes_at_once() {
    let stage = resting(10).await;
    stage.store.retry(WebhookJobId(3));
    stage.recorded(6).await;
    assert_eq!(stage.receiver.jobs("/1")[5..], [3]);
    let id = stage.store.accept_test(1);
    stage.recorded(7).await;
    assert_eq!(stage.receiver.jobs("/1")[6..], [id.0]);
    stage.receiver.reply(&path(1), Reply::status(200));
    stage.store.retry(WebhookJobId(2));
    stage.recorded(8).await;
    stage.settle().await;
    assert_eq!(stage.store.sub(1).health.state, HealthState::Healthy);
    assert_eq!(stage.timer.now(), BEGIN);
}

#[tokio::test]
async fn refusals_of_many_orders_make_a_lane_rest_and_refusals_of_few_do_not() {
    for (jobs, state) in [(19, HealthState::Healthy), (20, HealthState::Resting)] {
        let stage = Stage::new(1).await;
        stage.receiver.reply(&path(1), Reply::status(422));
        stage.store.accept(1, jobs);
        stage.recorded(jobs).await;
        assert_eq!(stage.store.sub(1).health.state, state, "{jobs}");
    }
}

#[tokio::test]
async fn gone_switches_the_lane_off_until_somebody_switches_it_on() {
    let stage = Stage::new(1).await;
    stage.store.change(1, |sub| sub.max_in_flight = Some(1));
    stage.receiver.reply(&path(1), Reply::status(410));
    stage.store.accept(1, 10);
    stage.recorded(1).await;
    stage.timer.advance(Duration::from_secs(24 * 3_600));
    stage.store.accept(1, 1);
    stage.store.retry(WebhookJobId(4));
    stage.settle().await;
    assert_eq!(stage.receiver.jobs("/1"), [1]);
    let sub = stage.store.sub(1);
    assert!(!sub.active);
    assert_eq!(sub.health.reason, Some(OffReason::Gone));
    assert_eq!(stage.engine.stats().lanes_off, 1);

    stage.receiver.reply(&path(1), Reply::status(200));
    stage.store.change(1, |sub| {
        sub.active = true;
        sub.health = LaneRecord::default();
    });
    stage.recorded(12).await;
    assert_eq!(stage.store.waiting(), 0);
    assert_eq!(stage.engine.stats().lanes_healthy, 1);
}

#[tokio::test]
async fn five_days_of_failures_switch_the_lane_off() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::status(500));
    stage.store.accept(1, 5);
    let day = Duration::from_secs(24 * 3_600);
    while stage.store.sub(1).active {
        let so_far = stage.store.outcome_count();
        let due_at = stage.store.job(WebhookJobId(1)).expect("waits").due_at;
        stage.timer.set(due_at);
        until("a probe is recorded", || {
            stage.store.outcome_count() > so_far
        })
        .await;
        assert!(stage.timer.now() < BEGIN + day * 6, "is never off");
    }
    assert!(stage.timer.now() >= BEGIN + day * 5);
    let health = stage.store.sub(1).health;
    assert_eq!(health.reason, Some(OffReason::FailingForDays));
    assert_eq!(stage.store.waiting(), 5, "the jobs are kept");
}
