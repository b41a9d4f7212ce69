//! Two nodes on one database: what one accepts the other sends, and what one leaves the other takes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use futures_util::future::join_all;
use store::{
    Lanes, List, ListItems, NewListItem, NewWebhookOutSub, NextStep, OrderStages, StageQuery,
    Store, WebhookJobs, WebhookOutSubChanges, WebhookOutSubs,
};
use store_laws::{Event, START, Told, World, change, list};
use tokio::runtime::Runtime;

use super::world::{open_for, tables_for};
use crate::PostgresStore;

/// Short, so that its end can be waited for; long enough for a machine that others use as well.
const LEASE: Duration = Duration::from_secs(6);
/// How long something may take that follows by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node that owns the lanes, and another one on the same database.
async fn two_nodes() -> (World<PostgresStore>, PostgresStore) {
    let tables = tables_for(LEASE).await;
    let other = open_for(&tables.url(), LEASE).await;
    (World::new(tables.store.clone(), tables).await, other)
}

/// Looks again and again until it is so.
async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the owner was told of something; all that it was told.
async fn until_told(told: &Told, expected: Event) -> Vec<Event> {
    let seen = std::sync::Mutex::new(Vec::new());
    until(&format!("told {expected:?}"), async || {
        let mut seen = seen.lock().expect("no panic");
        seen.extend(told.take());
        seen.contains(&expected)
    })
    .await;
    seen.into_inner().expect("no panic")
}

async fn subscribe_many(world: &World<PostgresStore>, count: usize) -> Vec<WebhookOutSubId> {
    let mut subs = Vec::new();
    for number in 0..count {
        let new = NewWebhookOutSub {
            statuses: Vec::new(),
            ..world.sub(&format!("s-{number}"))
        };
        subs.push(world.subscribe(new).await.id);
    }
    subs
}

#[tokio::test]
async fn what_one_accepts_is_handed_to_the_owner_on_the_other() {
    let (world, other) = two_nodes().await;
    let sub = world.sub_in("a", Ordering::Order).await;
    world.told.take();
    let accepted = other
        .accept(vec![world.stage("A", "ordered")])
        .await
        .remove(0);
    let job = accepted.expect("accepted").record.webhook_jobs[0].id;
    until_told(&world.told, Event::Ready(job)).await;
    let changes = WebhookOutSubChanges {
        name: Some("New".to_owned()),
        ..WebhookOutSubChanges::default()
    };
    let updated = other.update_webhook_out_sub(world.integration, sub, changes, change(1));
    updated.await.expect("updated");
    until_told(&world.told, Event::Changed(sub)).await;
    assert_eq!(world.told.lane(sub).expect("a lane").sub.name, "New");
    let deleted = other.delete_webhook_out_sub(world.integration, sub, change(2));
    deleted.await.expect("deleted");
    until_told(&world.told, Event::Closed(sub)).await;
}

#[tokio::test]
async fn what_a_lane_looks_for_itself_is_not_handed_over() {
    let (world, other) = two_nodes().await;
    let behind = world.sub_in("a", Ordering::Order).await;
    let beside = world.sub_in("b", Ordering::Order).await;
    world.told.fall_behind(behind);
    world.told.take();
    let accepted = other
        .accept(vec![world.stage("A", "ordered")])
        .await
        .remove(0);
    let jobs = accepted.expect("accepted").record.webhook_jobs;
    let of = |lane| {
        let mut jobs = jobs.iter();
        let job = jobs.find(|job| job.webhook_out_sub_id == lane);
        Event::Ready(job.expect("a job").id)
    };
    // Both are told of in one notice.
    let seen = until_told(&world.told, of(beside)).await;
    assert!(!seen.contains(&of(behind)), "{seen:?}");
}

#[tokio::test]
async fn what_one_releases_is_handed_over_too() {
    let (world, other) = two_nodes().await;
    let told = Arc::new(Told::default());
    other.own_lanes(told.clone(), START).await.expect("lanes");
    let sub = world.sub_in("a", Ordering::Order).await;
    let (first, _) = world.job("A", "ordered").await;
    let accepted = other
        .accept(vec![world.stage("A", "scheduled")])
        .await
        .remove(0);
    let second = accepted.expect("accepted").record.webhook_jobs[0].id;
    // Whichever of them has the lane, which may go from one to the other meanwhile: then what it reported is refused.
    until("told of the second", async || {
        let (owner, store) = match world.told.lane(sub) {
            Some(_) => (&world.told, &world.store),
            None => (&told, &other),
        };
        let mut outcome = world.outcome(sub, first, 1, NextStep::Delivered, None);
        outcome.fence = owner.fence(sub);
        store.record(Arc::new([outcome])).await.expect("recorded");
        let ready = Event::Ready(second);
        [&world.told, &told]
            .iter()
            .any(|told| told.take().contains(&ready))
    })
    .await;
}

#[tokio::test]
async fn lanes_are_shared_with_a_node_that_comes_and_taken_from_one_that_goes() {
    let (world, other) = two_nodes().await;
    let subs = subscribe_many(&world, 5).await;
    let told = Arc::new(Told::default());
    other.own_lanes(told.clone(), START).await.expect("lanes");
    let of = |told: &Told| subs.iter().filter(|sub| told.lane(**sub).is_some()).count();
    until("shared", async || (of(&world.told), of(&told)) == (3, 2)).await;
    let moved = subs.iter().find(|sub| told.lane(**sub).is_some());
    let moved = *moved.expect("a lane");
    assert!(told.fence(moved).0 > 1, "taken over under another fence");
    other.close().await;
    until("taken back", async || of(&world.told) == 5).await;
    assert!(world.told.fence(moved).0 > 2);
}

#[tokio::test]
async fn a_lane_is_not_given_back_while_it_is_looked_at() {
    let (world, other) = two_nodes().await;
    let subs = subscribe_many(&world, 2).await;
    let in_flight = WebhookJobId(1);
    world.told.fly(in_flight);
    let told = Arc::new(Told::default());
    other.own_lanes(told.clone(), START).await.expect("lanes");
    let closed = || {
        let mut subs = subs.iter();
        subs.find(|sub| world.told.lane(**sub).is_none()).copied()
    };
    until("closed", async || closed().is_some()).await;
    let lane = closed().expect("a lane");
    let look = world.store.shared.lanes.turn.lock().await;
    world.told.land(in_flight);
    // Far longer than it takes where nothing holds it up.
    let free = "select count(*) from lanes where node_id is null";
    for _ in 0..20 {
        assert_eq!(world.raw.count(free).await, 0);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(told.lane(lane).is_none());
    drop(look);
    until("taken", async || told.lane(lane).is_some()).await;
    assert!(world.told.lane(lane).is_none());
}

#[tokio::test]
async fn the_lanes_of_a_frozen_node_go_to_another_and_what_it_reports_is_refused() {
    let tables = tables_for(LEASE).await;
    // Whatever this node does by itself stops with its runtime.
    let node = Runtime::new().expect("a runtime");
    let url = tables.url();
    let frozen = node.spawn(async move { open_for(&url, LEASE).await }).await;
    let frozen = frozen.expect("a store");
    let world = World::new(tables.store.clone(), tables).await;
    let subs = [
        world.sub_in("a", Ordering::Order).await,
        world.sub_in("b", Ordering::Order).await,
    ];
    let told = Arc::new(Told::default());
    let (owner, store) = (told.clone(), frozen.clone());
    let owned = node.spawn(async move { store.own_lanes(owner, START).await.map(|_| ()) });
    owned.await.expect("no panic").expect("lanes");
    let its = async || subs.into_iter().find(|sub| told.lane(*sub).is_some());
    until("shared", async || its().await.is_some()).await;
    let sub = its().await.expect("a lane");
    let fence = told.fence(sub);
    assert!(frozen.may_start());
    node.shutdown_background();
    until("taken over", async || {
        world.told.lane(sub).is_some_and(|lane| lane.fence > fence)
    })
    .await;
    assert!(!frozen.may_start(), "it notices by its own clock");
    let accepted = world.report("A", "ordered").await;
    let mut jobs = accepted.webhook_jobs.iter();
    let job = jobs
        .find(|job| job.webhook_out_sub_id == sub)
        .expect("a job")
        .id;
    let state = async || {
        let shown = world.store.webhook_job(world.integration, job).await;
        shown.expect("read").expect("a job").job.state
    };
    let mut stale = world.outcome(sub, job, 1, NextStep::Delivered, None);
    stale.fence = fence;
    frozen.record(Arc::new([stale])).await.expect("passed over");
    assert_eq!(state().await, JobState::Pending);
    world.record(sub, job, 1, NextStep::Delivered).await;
    assert_eq!(state().await, JobState::Delivered);
}

#[tokio::test]
async fn a_node_that_was_removed_closes_its_lanes_and_begins_anew() {
    let (world, _) = two_nodes().await;
    let sub = world.sub_in("a", Ordering::Order).await;
    let before = world.told.fence(sub);
    world.raw.execute("delete from nodes").await;
    until_told(&world.told, Event::Closed(sub)).await;
    until("begun anew", async || {
        world.told.lane(sub).is_some_and(|lane| lane.fence > before)
    })
    .await;
    assert!(world.store.may_start());
}

#[tokio::test]
async fn changes_of_one_order_on_both_nodes_stay_in_sequence() {
    let (world, other) = two_nodes().await;
    world.sub_in("a", Ordering::Order).await;
    world.told.take();
    let reports = (0..100).map(|number| {
        let stage = world.stage("A", "scheduled");
        let node = if number % 2 == 0 {
            &world.store
        } else {
            &other
        };
        async move { node.accept(vec![stage]).await.remove(0).expect("accepted") }
    });
    join_all(reports).await;
    let query = StageQuery {
        integration_id: world.integration,
        order_ids: Vec::new(),
        stages: Vec::new(),
        event_slugs: Vec::new(),
        created_from: None,
        created_until: None,
        list: list(200),
    };
    let stages = other.order_stages(query).await.expect("read").items;
    let sequences: Vec<i64> = stages.iter().map(|stage| stage.sequence).collect();
    assert_eq!(sequences, (1..=100).collect::<Vec<_>>());
    let first = "select count(*) from webhook_jobs_waiting where next_attempt_at is not null";
    assert_eq!(world.raw.count(first).await, 1, "all others are held by it");
}

#[tokio::test]
async fn what_one_changes_counts_on_the_other_at_once() {
    let (world, other) = two_nodes().await;
    let sub = world.sub_in("a", Ordering::Order).await;
    assert_eq!(world.report("A", "scheduled").await.webhook_jobs.len(), 1);
    let changes = WebhookOutSubChanges {
        statuses: Some(Vec::new()),
        ..WebhookOutSubChanges::default()
    };
    let updated = other.update_webhook_out_sub(world.integration, sub, changes, change(1));
    updated.await.expect("updated");
    assert_eq!(world.report("A", "scheduled").await.webhook_jobs, []);
    let word = NewListItem {
        list: List::OrderStatus,
        slug: "drone_up".to_owned(),
        name: "Drone up".to_owned(),
        description: None,
        active: true,
        idempotency: None,
    };
    other.create_list_item(word, change(2)).await.expect("made");
    world.report("A", "drone_up").await;
}
