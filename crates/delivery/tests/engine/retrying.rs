//! When failed jobs are attempted again, and when they are given up.

use std::time::Duration;

use domain::destination::CallbackUrl;
use domain::health::HealthState;
use domain::id::WebhookJobId;
use domain::retry::RetryPolicy;
use domain::time::{Clock, Moment};
use domain::webhook_job::AttemptOutcome;
use store::{NextStep, Outcome};

use crate::receiver::Reply;
use crate::stage::{Stage, path, settings};

/// How long after its end an attempt is made again.
fn delay(outcome: &Outcome, ended_at: Moment) -> Duration {
    match outcome.next {
        NextStep::Retry { at, .. } => at.since(ended_at),
        other => panic!("is not attempted again: {other:?}"),
    }
}

fn within(delay: Duration, seconds: f64) -> bool {
    (0.9 * seconds..=1.1 * seconds).contains(&delay.as_secs_f64())
}

#[tokio::test]
async fn a_failed_job_is_attempted_by_the_schedule_and_not_a_moment_earlier() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::status(422));
    let id = stage.store.accept(1, 1)[0];
    for (index, seconds) in [5.0, 30.0, 120.0, 360.0, 360.0].into_iter().enumerate() {
        stage.recorded(index + 1).await;
        let outcome = stage.store.outcomes()[index].clone();
        assert!(
            within(delay(&outcome, stage.timer.now()), seconds),
            "{outcome:?}"
        );
        let due_at = stage.store.job(id).expect("waits").due_at;
        stage.timer.set(due_at - Duration::from_micros(1));
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), index + 1);
        stage.timer.set(due_at);
    }
    stage.recorded(6).await;
    let arrived = stage.receiver.arrived();
    let numbers: Vec<_> = arrived
        .iter()
        .map(|one| one.header("postrider-attempt").expect("is there"))
        .collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6"]);
    let ids = arrived.iter().map(|one| one.header("webhook-id"));
    assert!(
        ids.into_iter()
            .all(|id| id == arrived[0].header("webhook-id"))
    );
}

#[tokio::test]
async fn what_the_receiver_refused_three_times_lets_others_pass() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::status(422));
    let id = stage.store.accept(1, 1)[0];
    for number in 1..=4 {
        stage.recorded(number).await;
        let outcome = stage.store.outcomes()[number - 1].clone();
        assert_eq!(outcome.attempt.outcome, AttemptOutcome::JobFault);
        assert_eq!(
            outcome.attempt.message.as_deref(),
            Some("answered 422, success is 2xx")
        );
        assert_eq!(u32::try_from(number), Ok(outcome.job_faults));
        let passed = matches!(outcome.next, NextStep::Retry { passed: true, .. });
        assert_eq!(passed, number >= 3, "{number}");
        stage.timer.set(stage.store.job(id).expect("waits").due_at);
    }
}

#[tokio::test]
async fn retry_after_delays_and_never_hastens() {
    let cases = [
        (429, "120", 120.0, 120.0),
        (503, "1", 4.5, 5.5),
        (400, "60", 60.0, 60.0),
        (503, "nonsense", 4.5, 5.5),
    ];
    for (status, value, least, most) in cases {
        let stage = Stage::new(1).await;
        let header = ("retry-after", value.to_owned());
        stage
            .receiver
            .reply(&path(1), Reply::Status(status, Some(header)));
        stage.store.accept(1, 1);
        stage.recorded(1).await;
        let outcome = &stage.store.outcomes()[0];
        let delay = delay(outcome, stage.timer.now()).as_secs_f64();
        assert!((least..=most).contains(&delay), "{status} {value}: {delay}");
        let kept = &outcome.attempt.answer_headers;
        assert!(kept.contains(&("retry-after".to_owned(), value.to_owned())));
    }
}

#[tokio::test]
async fn a_receiver_that_asks_to_be_left_alone_gets_nothing_until_then() {
    for (status, pauses) in [(429, true), (503, true), (400, false), (500, false)] {
        let stage = Stage::new(1).await;
        let header = ("retry-after", "120".to_owned());
        stage
            .receiver
            .reply(&path(1), Reply::Status(status, Some(header)));
        stage.store.accept(1, 1);
        stage.recorded(1).await;
        let until = stage.timer.now() + Duration::from_secs(120);
        let kept = stage.store.sub(1).health.pause;
        assert_eq!(
            kept.map(|pause| pause.until),
            pauses.then_some(until),
            "{status}"
        );
        stage.receiver.reply(&path(1), Reply::status(200));
        stage.store.accept(1, 3);
        stage.settle().await;
        if pauses {
            stage.timer.set(until - Duration::from_micros(1));
            stage.settle().await;
            assert_eq!(stage.receiver.count("/1"), 1, "{status}");
            stage.timer.set(until);
        }
        stage.recorded(4).await;
    }
}

fn short_settings() -> delivery::Settings {
    let schedule = vec![Duration::from_secs(10)];
    delivery::Settings {
        retry: RetryPolicy::new(schedule, Duration::from_secs(60)).expect("is a policy"),
        ..settings()
    }
}

#[tokio::test]
async fn a_job_is_given_up_when_its_time_is_over() {
    let stage = Stage::with(1, short_settings(), |_, _| ()).await;
    stage.receiver.reply(&path(1), Reply::status(400));
    let id = stage.store.accept(1, 1)[0];
    let begun = stage.timer.now();
    stage.recorded(1).await;
    while let Some(job) = stage.store.job(id) {
        let so_far = stage.store.outcome_count();
        stage.timer.set(job.due_at);
        stage.recorded(so_far + 1).await;
    }
    let tried_for = stage.timer.now().since(begun).as_secs();
    assert!((60..=71).contains(&tried_for), "{tried_for}");
    let outcomes = stage.store.outcomes();
    let last = outcomes.last().expect("there are some");
    assert_eq!(last.next, NextStep::Exhausted);
    assert!(outcomes.len() >= 6, "{}", outcomes.len());
}

#[tokio::test]
async fn a_rest_of_the_lane_brings_no_job_nearer_to_its_end() {
    let stage = Stage::with(1, short_settings(), |_, _| ()).await;
    stage.receiver.reply(&path(1), Reply::status(500));
    stage.store.accept(1, 5);
    stage.recorded(5).await;
    assert_eq!(stage.store.sub(1).health.state, HealthState::Resting);
    for probe in 1..=20 {
        stage.timer.advance(Duration::from_secs(600));
        stage.recorded(5 + probe).await;
        let outcome = stage.store.outcomes()[4 + probe].clone();
        assert_eq!(outcome.job_id, WebhookJobId(1));
        assert!(matches!(outcome.next, NextStep::Retry { .. }), "{probe}");
    }
}

#[tokio::test]
async fn no_answer_is_recorded_as_what_went_wrong() {
    let stage = Stage::new(1).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
    let address = free.local_addr().expect("is bound");
    drop(free);
    let nowhere = CallbackUrl::parse(&format!("http://{address}/")).expect("is a URL");
    stage.store.change(1, |sub| sub.callback_url = nowhere);
    stage.store.accept(1, 1);
    stage.recorded(1).await;
    let attempt = stage.store.outcomes()[0].attempt.clone();
    assert_eq!(attempt.outcome, AttemptOutcome::EndpointFault);
    assert_eq!(attempt.status_code, None);
    assert_eq!(attempt.fault.as_deref(), Some("connection-refused"));
    assert!(
        attempt
            .message
            .expect("says why")
            .contains("nothing listens")
    );
}
