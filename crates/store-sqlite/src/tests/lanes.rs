//! What lanes are told, and what they are read as.

use std::time::Duration;

use domain::health::{HealthState, LaneRecord, OffReason};
use domain::id::WebhookOutSubId;
use domain::signature::SigningSecret;
use domain::signing_key::SigningKey;
use domain::webhook_out_sub::Ordering;
use store::{
    Lane, Lanes, NewSigning, NewWebhookOutSub, WebhookJobs, WebhookOutSubChanges, WebhookOutSubs,
};

use super::subscriptions::update;
use super::world::{Event, World, after, change, refused};
use crate::record::put_lane;
use crate::webhook_out_subs::{lane, lanes};

pub(super) async fn lane_of(world: &World, id: WebhookOutSubId) -> Option<Lane> {
    let read = world
        .store
        .write(move |writing| lane(&writing.connection, &writing.key, id));
    read.await.expect("read")
}

#[tokio::test]
async fn switching_on_makes_the_lane_healthy() {
    let world = World::new().await;
    let sub = world.subscribe(world.sub("a")).await;
    let off = LaneRecord {
        state: HealthState::Off,
        since: Some(after(10)),
        reason: Some(OffReason::Gone),
        failing_since: Some(after(5)),
        ..LaneRecord::default()
    };
    let put = world
        .store
        .write(move |writing| put_lane(&writing.connection, sub.id, &off));
    put.await.expect("put");
    let changes = WebhookOutSubChanges {
        active: Some(true),
        ..WebhookOutSubChanges::default()
    };
    let updated = update(&world, sub.id, changes).await.expect("on");
    let expected = LaneRecord {
        // 10 to 60 seconds after the beginning it was off.
        rested_microseconds: 50_000_000,
        // The next success is told to its people.
        recovering: true,
        ..LaneRecord::default()
    };
    assert_eq!(updated.health, expected);
    let lane = lane_of(&world, sub.id).await.expect("a lane");
    assert_eq!(lane.sub.health, expected);
}

#[tokio::test]
async fn a_looser_ordering_lets_held_jobs_go() {
    let world = World::new().await;
    let sub = world.subscribe(world.sub("a")).await;
    world.job("A", "ordered").await;
    let (second, _) = world.job("A", "scheduled").await;
    world.told.take();
    let changes = WebhookOutSubChanges {
        ordering: Some(Ordering::None),
        ..WebhookOutSubChanges::default()
    };
    update(&world, sub.id, changes).await.expect("changed");
    // The lane claims them, since it is told that something is due.
    assert_eq!(world.told.take(), [Event::Changed(sub.id)]);
    let lane = lane_of(&world, sub.id).await.expect("a lane");
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

#[tokio::test]
async fn a_clock_that_is_set_back_brings_what_waits_along() {
    let world = World::new().await;
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

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_while() {
    let world = World::new().await;
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
    let lane = lane_of(&world, sub.id).await.expect("a lane");
    assert_eq!(lane.secrets.current.as_bytes(), [4; 24]);
    let previous = lane.secrets.previous.as_ref().expect("the one before");
    assert_eq!(
        (previous.0.as_bytes(), previous.1),
        (&[3; 32][..], after(3_610))
    );
    rotate(5, Duration::ZERO).await.expect("rotated");
    let lane = lane_of(&world, sub.id).await.expect("a lane");
    assert!(lane.secrets.previous.is_none());
    let trail: Vec<String> = world
        .audited()
        .await
        .into_iter()
        .map(|event| event.2)
        .collect();
    assert_eq!(
        trail,
        ["create", "create", "rotate_secret", "rotate_secret"]
    );
}

#[tokio::test]
async fn a_test_is_a_job_outside_of_everything() {
    let world = World::new().await;
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
    update(&world, sub.id, off).await.expect("off");
    let refused_test = world
        .store
        .send_test(world.integration, sub.id, change(6))
        .await;
    assert_eq!(refused(refused_test), ["id"]);
}

#[tokio::test]
async fn lanes_know_when_their_first_job_is_due() {
    let world = World::new().await;
    let sub = world.subscribe(world.sub("a")).await;
    let idle = world
        .subscribe(NewWebhookOutSub {
            statuses: Vec::new(),
            ..world.sub("b")
        })
        .await;
    world.report("A", "ordered").await;
    let lanes = world
        .store
        .write(|writing| lanes(&writing.connection, &writing.key))
        .await
        .expect("read");
    let due: Vec<_> = lanes
        .iter()
        .map(|lane| (lane.sub.id, lane.next_due_at))
        .collect();
    assert_eq!(due, [(sub.id, Some(after(0))), (idle.id, None)]);
}
