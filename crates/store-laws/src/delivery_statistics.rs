//! Statistics of deliveries agree with what was recorded.

use std::sync::Arc;
use std::time::Duration;

use domain::delivery_statistics::{DeliveryFigures, Measure, StatisticsStep, period_of};
use domain::id::WebhookOutSubId;
use store::{NextStep, Outcome, RetentionPlace, RetentionPolicy, StatisticsQuery};

use crate::{Working, World, after};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: u64 = 24 * 3_600;

/// What was counted in so many periods from that of the beginning on.
async fn figures(
    world: &World<impl Working>,
    sub: Option<WebhookOutSubId>,
    step_seconds: i64,
    periods: usize,
) -> Vec<DeliveryFigures> {
    let query = StatisticsQuery {
        integration_id: world.integration,
        webhook_out_sub_id: sub,
        from: period_of(after(0), step_seconds),
        step_seconds,
        periods,
    };
    let read = world.store.delivery_statistics(query).await.expect("read");
    assert_eq!(read.len(), periods);
    read
}

/// How many attempts were delivered and failed, and how many jobs were delivered and exhausted.
fn totals(figures: &DeliveryFigures) -> [u64; 4] {
    let ended = [
        Measure::AttemptDelivered,
        Measure::AttemptFailed,
        Measure::JobDelivered,
        Measure::JobExhausted,
    ];
    ended.map(|measure| figures.of(measure).total())
}

/// The outcome of an attempt that began so many seconds after the beginning, and took so many milliseconds.
fn taking(mut outcome: Outcome, seconds: u64, milliseconds: u64) -> Outcome {
    outcome.attempt.started_at = after(seconds);
    outcome.attempt.timing.total = milliseconds * 1_000;
    outcome
}

async fn record(world: &World<impl Working>, outcomes: Vec<Outcome>) {
    let recorded = world.store.record(Arc::from(outcomes)).await;
    recorded.expect("recorded");
}

pub async fn what_is_recorded_is_counted_once_by_minute_and_by_hour(world: &World<impl Working>) {
    let a = world.subscribe(world.sub("a")).await.id;
    let b = world.subscribe(world.sub("b")).await.id;
    let mut jobs = Vec::new();
    for order in ["A", "B"] {
        let accepted = world.report(order, "ordered").await;
        jobs.extend(accepted.webhook_jobs.iter().map(|job| job.id));
    }
    let [a1, b1, a2, b2] = jobs[..] else {
        panic!("{jobs:?}");
    };
    let retry = NextStep::Retry {
        at: after(30),
        passed: false,
    };
    let outcome = |sub, job, number, next| world.outcome(sub, job, number, next, None);
    let outcomes = vec![
        taking(outcome(a, a1, 1, NextStep::Delivered), 1, 100),
        taking(outcome(b, b1, 1, retry), 1, 2_000),
        taking(outcome(a, a2, 1, retry), 2, 100),
        taking(outcome(b, b2, 1, NextStep::Exhausted), 2, 100),
    ];
    record(world, outcomes.clone()).await;
    // A recorder that does not know whether it was heard says it again.
    record(world, vec![outcomes[0].clone(), outcomes[3].clone()]).await;
    let later = taking(outcome(a, a2, 2, NextStep::Delivered), 70, 100);
    record(world, vec![later]).await;

    let of = async |sub, step, periods| {
        let read = figures(world, sub, step, periods).await;
        read.iter().map(totals).collect::<Vec<_>>()
    };
    assert_eq!(of(None, MINUTE, 2).await, [[1, 3, 1, 1], [1, 0, 1, 0]]);
    assert_eq!(of(Some(a), MINUTE, 2).await, [[1, 1, 1, 0], [1, 0, 1, 0]]);
    assert_eq!(of(Some(b), MINUTE, 2).await, [[0, 2, 0, 1], [0; 4]]);
    assert_eq!(of(None, HOUR, 2).await, [[2, 3, 2, 1], [0; 4]]);
    assert_eq!(of(None, 2 * MINUTE, 1).await, [[2, 3, 2, 1]]);
    assert_eq!(of(Some(a), HOUR, 1).await, [[2, 1, 2, 0]]);

    let hour = &figures(world, None, HOUR, 1).await[0];
    let p99 = |measure| hour.of(measure).percentile(99).expect("some");
    assert!(p99(Measure::AttemptFailed) > Duration::from_millis(1_500));
    // Counted from when the job was made, not from when it was attempted.
    assert!(p99(Measure::JobDelivered) > Duration::from_secs(60));
    assert!(p99(Measure::AttemptDelivered) < Duration::from_millis(150));
}

pub async fn what_others_have_is_not_counted(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await.id;
    let (job, _) = world.job("A", "ordered").await;
    world.record(sub, job, 1, NextStep::Delivered).await;
    let other = world.integrate("other").await;
    let query = StatisticsQuery {
        integration_id: other,
        webhook_out_sub_id: None,
        from: period_of(after(0), HOUR),
        step_seconds: HOUR,
        periods: 1,
    };
    for webhook_out_sub_id in [None, Some(sub)] {
        let query = StatisticsQuery {
            webhook_out_sub_id,
            ..query
        };
        let read = world.store.delivery_statistics(query).await.expect("read");
        assert_eq!(read.iter().map(totals).collect::<Vec<_>>(), [[0; 4]]);
    }
}

pub async fn the_most_that_waited_is_told(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await.id;
    let count = async |seconds| {
        let counted = world.store.count_waiting(after(seconds)).await;
        counted.expect("counted");
    };
    count(0).await;
    let mut jobs = Vec::new();
    for order in ["A", "B", "C"] {
        jobs.push(world.job(order, "ordered").await.0);
        count(1).await;
    }
    // Fewer, and none: in the same minute, and in the next ones.
    world.record(sub, jobs[0], 1, NextStep::Delivered).await;
    count(30).await;
    count(61).await;
    world.record(sub, jobs[1], 1, NextStep::Delivered).await;
    world.record(sub, jobs[2], 1, NextStep::Exhausted).await;
    count(121).await;
    let of = async |sub, step, periods| {
        let read = figures(world, sub, step, periods).await;
        let waiting = read.iter().map(|one| one.of(Measure::JobWaiting).total());
        waiting.collect::<Vec<_>>()
    };
    assert_eq!(of(None, MINUTE, 3).await, [3, 2, 0]);
    assert_eq!(of(None, 2 * MINUTE, 1).await, [3]);
    assert_eq!(of(None, HOUR, 1).await, [3]);
    assert_eq!(of(Some(sub), HOUR, 1).await, [0]);
}

pub async fn minutes_go_before_hours(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await.id;
    for order in ["A", "B", "C"] {
        let (job, _) = world.job(order, "ordered").await;
        world.record(sub, job, 1, NextStep::Delivered).await;
    }
    let kept = |step: StatisticsStep| step.kept().as_secs() / DAY;
    let (minutes, hours) = (kept(StatisticsStep::Minute), kept(StatisticsStep::Hour));
    let cases = [
        (minutes - 1, [3, 3]),
        (minutes + 1, [0, 3]),
        (hours + 1, [0, 0]),
    ];
    for (days, expected) in cases {
        let policy = RetentionPolicy {
            jobs: Duration::from_secs(400 * DAY),
            payloads: None,
            audit_events: Duration::from_secs(400 * DAY),
            notifications: Duration::from_secs(400 * DAY),
        };
        let mut place = Some(RetentionPlace::Short);
        while let Some(at) = place {
            let removed = world.store.remove_old(at, policy, 1, after(days * DAY));
            place = removed.await.expect("removed").next;
        }
        let mut counted = [0; 2];
        for (place, step) in [MINUTE, HOUR].into_iter().enumerate() {
            counted[place] = totals(&figures(world, None, step, 1).await[0])[0];
        }
        assert_eq!(counted, expected, "after {days} days");
    }
}

/// The laws of this file.
#[macro_export]
macro_rules! delivery_statistics_laws {
    ($test:ident) => {
        $test! {
            delivery_statistics: what_is_recorded_is_counted_once_by_minute_and_by_hour,
            what_others_have_is_not_counted,
            the_most_that_waited_is_told,
            minutes_go_before_hours
        }
    };
}
