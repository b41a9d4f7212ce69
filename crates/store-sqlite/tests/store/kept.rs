//! What a restart finds, and what the files do not tell.

use std::sync::Arc;

use domain::webhook_out_sub::Ordering;
use store::{Lanes, NextStep, NoLanes, Store};

use crate::world::{World, after, open};

#[tokio::test]
async fn a_new_process_finds_what_waits() {
    let world = World::new().await;
    let sub = world.subscribe("a", Ordering::Order).await;
    let first = world.report("A", "ordered").await.webhook_jobs[0].id;
    world.report("A", "scheduled").await;
    let later = NextStep::Retry {
        at: after(60),
        passed: false,
    };
    world.record(sub, first, 1, later).await;
    world.store.close().await;
    let store = open(&world.folder);
    let lanes = store
        .own_lanes(Arc::new(NoLanes), after(0))
        .await
        .expect("lanes");
    assert_eq!(lanes.len(), 1);
    assert_eq!(lanes[0].next_due_at, Some(after(60)));
    assert_eq!(lanes[0].secrets.current.as_bytes(), [3; 32]);
    let due = store.due_jobs(sub, after(60), 9).await.expect("read");
    assert_eq!(
        due.jobs.iter().map(|job| job.id).collect::<Vec<_>>(),
        [first]
    );
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let world = World::new().await;
    world.store.check_writable().await.expect("writable");
    world.store.close().await;
    let error = world.store.check_writable().await.expect_err("closed");
    assert!(error.to_string().contains("clos"), "{error}");
    let refused = world.try_accept(world.stage("A", "ordered")).await;
    assert!(refused.is_err());
}

#[tokio::test]
async fn signing_secrets_do_not_stand_in_the_files() {
    let world = World::new().await;
    world.subscribe("a", Ordering::Order).await;
    world.store.close().await;
    for entry in std::fs::read_dir(world.folder.path()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("readable");
        assert!(!bytes.windows(32).any(|window| window == [3; 32]));
    }
}
