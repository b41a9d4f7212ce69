//! What is sent, and what is recorded of it.

use std::time::Duration;

use domain::destination::CallbackUrl;
use domain::signature::{SigningSecret, SigningSecrets, sign};
use domain::signing_key::SigningKeys;
use domain::time::Clock;
use domain::webhook_job::AttemptOutcome;
use store::{Fence, NextStep};

use crate::clock::BEGIN;
use crate::model::SECRET;
use crate::receiver::Reply;
use crate::stage::{Stage, path, until};

#[tokio::test]
async fn a_job_is_sent_as_it_was_stored_signed_and_recorded_as_delivered() {
    let stage = Stage::new(1).await;
    let id = stage.store.accept(1, 1)[0];
    stage.recorded(1).await;

    let arrived = stage.receiver.arrived();
    assert_eq!(arrived.len(), 1);
    let request = &arrived[0];
    assert_eq!(request.body, id.to_string());
    let secrets = SigningSecrets {
        current: SECRET.parse::<SigningSecret>().expect("a secret"),
        previous: None,
        keys: SigningKeys::default(),
    };
    let webhook_id = request.header("webhook-id").expect("has an id");
    let signed = sign(&secrets, BEGIN, webhook_id, &request.body);
    let expected = [
        ("webhook-timestamp", Some(BEGIN.seconds().to_string())),
        ("webhook-signature", Some(signed.signature)),
        ("user-agent", Some("Postrider/test".to_owned())),
        ("content-type", Some("application/json".to_owned())),
        ("postrider-attempt", Some("1".to_owned())),
        ("postrider-order-id", Some("1001".to_owned())),
        ("postrider-sequence", Some("1".to_owned())),
        ("postrider-test", None),
    ];
    for (name, value) in expected {
        assert_eq!(request.header(name), value.as_deref(), "{name}");
    }

    let outcomes = stage.store.outcomes();
    let outcome = &outcomes[0];
    assert_eq!((outcome.job_id, outcome.fence), (id, Fence(7)));
    assert_eq!(outcome.next, NextStep::Delivered);
    assert_eq!(outcome.attempt.number, 1);
    assert_eq!(outcome.attempt.outcome, AttemptOutcome::Delivered);
    assert_eq!(outcome.attempt.status_code, Some(200));
    assert_eq!(outcome.attempt.started_at, BEGIN);
    assert_eq!(outcome.attempt.answer_body.as_deref(), Some("seen"));
    let address = stage.receiver.address.to_string();
    assert_eq!(outcome.attempt.address, Some(address));
    assert_eq!(outcome.lane, None, "success is the usual health");
}

#[tokio::test]
async fn a_test_says_so_and_names_no_order() {
    let stage = Stage::new(1).await;
    stage.store.accept_test(1);
    stage.recorded(1).await;
    let request = &stage.receiver.arrived()[0];
    assert_eq!(request.header("postrider-test"), Some("true"));
    assert_eq!(request.header("postrider-order-id"), None);
    assert_eq!(request.header("postrider-sequence"), None);
}

#[tokio::test]
async fn what_waited_before_the_start_is_sent_at_the_start() {
    let stage = Stage::with(3, crate::stage::settings(), |_, store| {
        store.accept_before(1, 5);
        store.accept_before(3, 700);
    })
    .await;
    stage.recorded(705).await;
    assert_eq!(stage.receiver.count("/1"), 5);
    assert_eq!(stage.receiver.count("/3"), 700);
    assert_eq!(stage.store.waiting(), 0);
}

#[tokio::test]
async fn each_attempt_reads_the_subscription_anew() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::status(503));
    let id = stage.store.accept(1, 1)[0];
    stage.recorded(1).await;
    let elsewhere = stage.receiver.url("/elsewhere");
    stage.store.change(1, |sub| sub.callback_url = elsewhere);
    let due_at = stage.store.job(id).expect("waits").due_at;
    stage.timer.set(due_at);
    stage.recorded(2).await;
    assert_eq!(stage.receiver.jobs("/elsewhere"), [id.0]);
    let outcomes = stage.store.outcomes();
    assert!(outcomes[1].attempt.callback_url.ends_with("/elsewhere"));
    assert_eq!(outcomes[1].attempt.number, 2);
}

#[tokio::test]
async fn an_inactive_subscription_holds_everything_until_it_is_active() {
    let stage = Stage::new(1).await;
    stage.store.change(1, |sub| sub.active = false);
    stage.store.accept(1, 3);
    stage.settle().await;
    assert_eq!(stage.receiver.count("/1"), 0);
    stage.store.change(1, |sub| sub.active = true);
    stage.recorded(3).await;
    assert_eq!(stage.receiver.jobs("/1"), [1, 2, 3]);
}

#[tokio::test]
async fn a_job_is_told_as_delivering_while_it_is() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::Hold);
    let ids = stage.store.accept(1, 2);
    until("both are under way", || stage.receiver.open("/1").0 == 2).await;
    let mut delivering = stage.engine.delivering();
    delivering.sort_unstable();
    assert_eq!(delivering, ids);
    stage.receiver.reply(&path(1), Reply::status(200));
    stage.recorded(2).await;
    stage.settle().await;
    assert!(stage.engine.delivering().is_empty());
    assert_eq!(stage.timer.now(), BEGIN);
}

#[tokio::test]
async fn a_defect_of_ours_costs_an_attempt_and_nothing_else() {
    let stage = Stage::new(1).await;
    let here = stage.store.sub(1).callback_url;
    let named = CallbackUrl::parse("http://panics.example/").expect("is a URL");
    stage.store.change(1, |sub| sub.callback_url = named);
    // More than make a lane rest, were the endpoint to blame.
    stage.store.accept(1, 30);
    stage.recorded(30).await;
    for outcome in stage.store.outcomes() {
        let fault = outcome.attempt.fault.as_deref();
        assert_eq!(fault, Some("attempt-crashed"));
        assert!(matches!(
            outcome.next,
            NextStep::Retry { passed: false, .. }
        ));
        assert_eq!((outcome.job_faults, outcome.lane), (0, None));
    }
    stage.store.change(1, |sub| sub.callback_url = here);
    stage.timer.advance(Duration::from_secs(60));
    stage.recorded(60).await;
    assert_eq!(stage.store.waiting(), 0);
}
