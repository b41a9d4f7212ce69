//! What is old and final goes with all that belongs to it, and what waits stays.

use std::time::Duration;

use store::{Removed, Retention, RetentionPlace, RetentionPolicy, WebhookJobs};

use super::world::{World, after, change};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// Takes the steps of a round, each of up to so many records.
async fn round(world: &World, limit: u32, days: u64) -> Removed {
    let day = Duration::from_secs(DAY_SECONDS);
    let policy = RetentionPolicy {
        jobs: 90 * day,
        payloads: None,
        audit_events: 400 * day,
        notifications: 90 * day,
    };
    let (mut place, mut removed) = (Some(RetentionPlace::FIRST), Removed::default());
    while let Some(at) = place {
        let now = after(days * DAY_SECONDS);
        let step = world.store.remove_old(at, policy, limit, now).await;
        let step = step.expect("removed");
        removed.add_all(&step.removed);
        place = step.next;
    }
    removed
}

#[tokio::test]
async fn what_is_old_and_final_goes_and_what_waits_stays() {
    let world = World::new().await;
    world.subscribe(world.sub("a")).await;
    let (gone, _) = world.job("A", "ordered").await;
    let (waits, _) = world.job("B", "ordered").await;
    world.job("C", "ordered").await;
    let store = &world.store;
    let canceled = store.cancel_webhook_job(world.integration, gone, change(1));
    canceled.await.expect("canceled");
    assert_eq!(round(&world, 1, 89).await.total(), 0);
    round(&world, 1, 91).await;
    let shown = |id| store.webhook_job(world.integration, id);
    assert!(shown(gone).await.expect("read").is_none());
    let waiting = shown(waits).await.expect("read").expect("there");
    assert!(waiting.payload.is_some());
    let counts = [
        ("select count(*) from order_stages", 2),
        ("select count(*) from orders", 2),
        ("select count(*) from payloads", 2),
    ];
    for (sql, count) in counts {
        assert_eq!(world.count(sql).await, count, "{sql}");
    }
}
