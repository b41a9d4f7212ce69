//! What removal means for the file of the database; the rest is a law of all stores.

use std::time::Duration;

use store::{Removable, Removed, Retention, RetentionPlace, RetentionPolicy};

use super::world::{World, after};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// What is kept where a test does not say otherwise.
fn policy() -> RetentionPolicy {
    let day = Duration::from_secs(DAY_SECONDS);
    RetentionPolicy {
        jobs: 90 * day,
        payloads: None,
        audit_events: 400 * day,
        notifications: 90 * day,
    }
}

/// Takes the steps of a round, each of up to so many records.
async fn round(world: &World, limit: u32, days: u64) -> Removed {
    let (mut place, mut removed) = (Some(RetentionPlace::FIRST), Removed::default());
    while let Some(at) = place {
        let now = after(days * DAY_SECONDS);
        let step = world.store.remove_old(at, policy(), limit, now).await;
        let step = step.expect("removed");
        removed.add_all(&step.removed);
        place = step.next;
    }
    removed
}

#[tokio::test]
async fn what_is_freed_goes_back_to_the_file_system() {
    let world = World::new().await;
    let fill = "insert into audit_events (actor, noun, record_id, action, after, created_at) \
         select 'test', 'test', 1, 'test', hex(zeroblob(4000)), 0 from \
         (with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) select i from n)";
    let filled = world
        .store
        .write(move |writing| Ok(writing.connection.execute(fill, [])?));
    filled.await.expect("filled");
    let pages = "select page_count from pragma_page_count";
    let full = world.count(pages).await;
    let removed = round(&world, 100, 401).await;
    assert!(removed.of(Removable::AuditEvents) >= 1_999);
    let left = world.count(pages).await;
    assert!(left < full / 3, "{left} of {full} pages are left");
}
