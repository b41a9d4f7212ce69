//! Claims whose snapshots are older than what happens meanwhile.

use std::time::Duration;

use domain::id::WebhookJobId;
use store::Withdrawal;

use crate::receiver::Reply;
use crate::stage::{Stage, path, settings, until};

/// No job arrived twice at lane 1, and so many did.
fn assert_each_once(stage: &Stage, count: usize) {
    let mut jobs = stage.receiver.jobs("/1");
    assert_eq!(jobs.len(), count);
    jobs.sort_unstable();
    jobs.dedup();
    assert_eq!(jobs.len(), count, "none twice");
}

#[tokio::test]
async fn jobs_that_were_recorded_during_a_claim_are_not_taken_from_it() {
    let stage = Stage::with(1, settings(), |_, store| store.accept_before(1, 3_000)).await;
    let mut rounds = 0;
    while stage.store.waiting() > 0 {
        // Each claim reads while its lane is busy, and is answered when the lane has finished.
        stage.store.hold_claims(true);
        stage.settle().await;
        stage.store.hold_claims(false);
        stage.settle().await;
        rounds += 1;
        assert!(rounds < 1_000, "never ends");
    }
    stage.recorded(3_000).await;
    assert_each_once(&stage, 3_000);
}

#[tokio::test]
async fn jobs_that_come_during_a_claim_are_not_forgotten() {
    // Few find room beside the claim; many do not, and are claimed.
    for count in [1, 5, 600, 3_000] {
        let stage = Stage::with(1, settings(), |_, store| {
            store.accept_before(1, 10);
            store.hold_claims(true);
        })
        .await;
        until("the claim has read", || stage.store.claims() == 1).await;
        stage.store.accept(1, count);
        stage.settle().await;
        assert_eq!(stage.receiver.count("/1"), 0, "older ones come first");
        stage.store.hold_claims(false);
        stage.recorded(10 + count).await;
        stage.settle().await;
        assert_each_once(&stage, 10 + count);
        let claims = stage.store.claims();
        assert_eq!(claims == 1, count < 500, "{claims} claims for {count}");
        stage.store.accept(1, 1);
        stage.recorded(11 + count).await;
        assert_eq!(
            stage.store.claims(),
            claims,
            "the lane is not behind any more"
        );
    }
}

#[tokio::test]
async fn a_job_that_was_withdrawn_during_a_claim_is_not_taken_from_it() {
    let stage = Stage::with(1, settings(), |_, store| {
        store.accept_before(1, 3);
        store.hold_claims(true);
    })
    .await;
    until("the claim has read", || stage.store.claims() == 1).await;
    assert_eq!(stage.store.cancel(WebhookJobId(2)), Withdrawal::Withdrawn);
    stage.store.hold_claims(false);
    stage.recorded(2).await;
    stage.settle().await;
    assert_eq!(stage.receiver.jobs("/1"), [1, 3]);
}

#[tokio::test]
async fn a_queued_job_can_be_withdrawn_and_one_in_flight_cannot() {
    let stage = Stage::new(1).await;
    stage.store.change(1, |sub| sub.max_in_flight = Some(1));
    stage.receiver.reply(&path(1), Reply::Hold);
    let ids = stage.store.accept(1, 3);
    until("one is under way", || stage.receiver.open("/1").0 == 1).await;
    assert_eq!(stage.store.cancel(ids[0]), Withdrawal::InFlight);
    assert_eq!(stage.store.cancel(ids[1]), Withdrawal::Withdrawn);
    stage.receiver.reply(&path(1), Reply::status(200));
    stage.recorded(2).await;
    stage.settle().await;
    assert_eq!(stage.receiver.jobs("/1"), [1, 3]);
}

#[tokio::test]
async fn a_withdrawal_whose_transaction_failed_only_delays_the_job() {
    let stage = Stage::new(1).await;
    stage.store.change(1, |sub| sub.max_in_flight = Some(1));
    stage.receiver.reply(&path(1), Reply::Hold);
    let ids = stage.store.accept(1, 2);
    until("one is under way", || stage.receiver.open("/1").0 == 1).await;
    stage.store.cancel_and_fail(ids[1]);
    stage.receiver.reply(&path(1), Reply::status(200));
    stage.settle().await;
    assert_eq!(stage.receiver.jobs("/1"), [1]);
    stage.timer.advance(Duration::from_secs(10));
    stage.recorded(2).await;
    assert_eq!(stage.receiver.jobs("/1"), [1, 2]);
}

#[tokio::test]
async fn a_job_that_is_made_due_before_its_outcome_is_known_is_not_forgotten() {
    let stage = Stage::new(1).await;
    stage.receiver.reply(&path(1), Reply::status(503));
    // The store commits the failure and the wish in this order, and the engine hears of the wish first.
    stage.store.wish_after_record(true);
    let ids = stage.store.accept(1, 1);
    stage.recorded(2).await;
    assert_eq!(stage.receiver.jobs("/1"), [ids[0].0; 2]);
    assert_eq!(stage.store.outcomes()[1].attempt.number, 2);
}

#[tokio::test]
async fn a_claim_that_fails_is_tried_again() {
    let stage = Stage::with(1, settings(), |_, store| {
        store.accept_before(1, 3);
        store.fail_claims(3);
    })
    .await;
    for claims in 1..=3 {
        until("the claim has failed", || stage.store.claims() == claims).await;
        stage.settle().await;
        assert_eq!(stage.store.claims(), claims, "it does not hammer");
        stage.timer.advance(Duration::from_secs(1));
    }
    stage.recorded(3).await;
    assert_each_once(&stage, 3);
}
