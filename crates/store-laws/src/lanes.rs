//! What lanes are told.

use std::time::Duration;

use domain::health::{HealthState, LaneRecord, OffReason};
use domain::id::WebhookOutSubId;
use domain::signature::SigningSecret;
use domain::signing_key::SigningKey;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use store::{Lane, NewSigning, NextStep, WebhookOutSubChanges};

use crate::ordering::RETRY;
use crate::webhook_out_subs::update;
use crate::{Event, Working, World, after, change, refused};

/// The lane as its owner knows it.
pub(crate) async fn lane_of(world: &World<impl Working>, id: WebhookOutSubId) -> Option<Lane> {
    world.told.lane(id)
}

pub async fn switching_on_makes_the_lane_healthy(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    let off = LaneRecord {
        state: HealthState::Off,
        since: Some(after(10)),
        reason: Some(OffReason::Gone),
        failing_since: Some(after(5)),
        ..LaneRecord::default()
    };
    let (job, _) = world.job("A", "ordered").await;
    let retry = NextStep::Retry {
        at: after(20),
        passed: false,
    };
    world.record_with(sub.id, job, 1, retry, Some(off)).await;
    let changes = WebhookOutSubChanges {
        active: Some(true),
        ..WebhookOutSubChanges::default()
    };
    let updated = update(world, sub.id, changes).await.expect("on");
    let expected = LaneRecord {
        // 10 to 60 seconds after the beginning it was off.
        rested_microseconds: 50_000_000,
        // The next success is told to its people.
        recovering: true,
        ..LaneRecord::default()
    };
    assert_eq!(updated.health, expected);
    let lane = lane_of(world, sub.id).await.expect("a lane");
    assert_eq!(lane.sub.health, expected);
}

pub async fn a_looser_ordering_lets_held_jobs_go(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    world.job("A", "ordered").await;
    let (second, _) = world.job("A", "scheduled").await;
    world.told.take();
    let changes = WebhookOutSubChanges {
        ordering: Some(Ordering::None),
        ..WebhookOutSubChanges::default()
    };
    update(world, sub.id, changes).await.expect("changed");
    // The lane claims them, since it is told that something is due.
    assert_eq!(world.told.take(), [Event::Changed(sub.id)]);
    let lane = lane_of(world, sub.id).await.expect("a lane");
    assert!(lane.next_due_at.is_some());
    let due = world
        .store
        .due_jobs(sub.id, after(1_000), 9)
        .await
        .expect("read");
    assert!(due.jobs.iter().any(|job| job.id == second));
}

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

pub async fn a_clock_that_is_set_back_brings_what_waits_along(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    let (job, _) = world.job("A", "ordered").await;
    let hour = Duration::from_secs(3_600);
    let due = async |at| {
        let due = world.store.due_jobs(sub.id, at, 9).await.expect("read");
        due.jobs.iter().map(|job| job.id).collect::<Vec<_>>()
    };
    let (now, soon) = (after(0) - hour, after(100) - hour);
    assert_eq!(due(soon).await, []);
    let set_back = world.store.clock_set(-HOUR, now).await;
    set_back.expect("set back");
    assert_eq!(due(soon).await, [job]);
    // What is due already stays so.
    let again = world.store.clock_set(-HOUR, soon).await;
    again.expect("set back");
    assert_eq!(due(soon).await, [job]);
}

pub async fn after_a_rotation_both_secrets_sign_for_a_while(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    let secret = |byte: u8| SigningSecret::from_bytes(&[byte; 24]).expect("a secret");
    let hour = Duration::from_secs(3_600);
    let rotate = |byte, overlap| {
        let store = &world.store;
        store.rotate_webhook_out_sub_secret(
            world.integration,
            sub.id,
            NewSigning {
                secret: secret(byte),
                key: SigningKey::from_seed([byte; 32]),
            },
            overlap,
            change(10),
        )
    };
    let rotated = rotate(4, hour).await.expect("rotated");
    assert_eq!(rotated.signing_secret, secret(4).to_text());
    let lane = lane_of(world, sub.id).await.expect("a lane");
    assert_eq!(lane.secrets.current.as_bytes(), [4; 24]);
    let previous = lane.secrets.previous.as_ref().expect("the one before");
    assert_eq!(
        (previous.0.as_bytes(), previous.1),
        (&[3; 32][..], after(3_610))
    );
    rotate(5, Duration::ZERO).await.expect("rotated");
    let lane = lane_of(world, sub.id).await.expect("a lane");
    assert!(lane.secrets.previous.is_none());
    let trail = world.audited("webhook_out_sub").await;
    assert_eq!(trail, ["create", "rotate_secret", "rotate_secret"]);
}

pub async fn a_test_is_a_job_outside_of_everything(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    world.told.take();
    let sent = world
        .store
        .send_test(world.integration, sub.id, change(5))
        .await;
    let job = sent.expect("sent");
    assert!(job.test && job.order_id.is_none() && job.next_attempt_at == Some(after(5)));
    assert_eq!(world.told.take(), [Event::Ready(job.id)]);
    let shown = world.store.webhook_job(world.integration, job.id).await;
    let payload = shown.expect("read").expect("a job").payload;
    assert!(serde_json::from_slice::<serde_json::Value>(&payload.expect("a payload")).is_ok());
    let off = WebhookOutSubChanges {
        active: Some(false),
        ..WebhookOutSubChanges::default()
    };
    update(world, sub.id, off).await.expect("off");
    let refused_test = world
        .store
        .send_test(world.integration, sub.id, change(6))
        .await;
    assert_eq!(refused(refused_test), ["id"]);
}

pub async fn many_outcomes_are_recorded_together(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    let (first, _) = world.job("A", "ordered").await;
    let (second, _) = world.job("A", "scheduled").await;
    let (other, _) = world.job("B", "ordered").await;
    let (third, _) = world.job("C", "ordered").await;
    world.told.take();
    // Two attempts of one job, and a job that is final with those that are not.
    let outcomes = [
        world.outcome(sub.id, first, 1, RETRY, None),
        world.outcome(sub.id, other, 1, NextStep::Delivered, None),
        world.outcome(sub.id, first, 2, NextStep::Delivered, None),
        world.outcome(sub.id, third, 1, RETRY, None),
    ];
    let recorded = world.store.record(std::sync::Arc::new(outcomes)).await;
    recorded.expect("recorded");
    assert_eq!(world.told.take(), [Event::Ready(second)]);
    let state = async |job| {
        let shown = world.store.webhook_job(world.integration, job).await;
        let shown = shown.expect("read").expect("a job");
        (
            shown.job.state,
            shown.job.attempt_count,
            shown.attempts.len(),
        )
    };
    assert_eq!(state(first).await, (JobState::Delivered, 2, 2));
    assert_eq!(state(other).await, (JobState::Delivered, 1, 1));
    assert_eq!(state(third).await, (JobState::Retrying, 1, 1));
    assert_eq!(state(second).await, (JobState::Pending, 0, 0));
}

/// The laws of this file.
#[macro_export]
macro_rules! lanes_laws {
    ($test:ident) => {
        $test! {
            lanes: switching_on_makes_the_lane_healthy,
            a_looser_ordering_lets_held_jobs_go,
            a_clock_that_is_set_back_brings_what_waits_along,
            after_a_rotation_both_secrets_sign_for_a_while,
            a_test_is_a_job_outside_of_everything,
            many_outcomes_are_recorded_together
        }
    };
}
