//! Changes: what is stored, refused, repeated, and how they share a commit.

use domain::webhook_out_sub::Ordering;
use store::{Idempotency, ListQuery, OrderStages, PageRequest, Rejection, Sort, StageQuery, Start};

use crate::world::World;

fn all_stages(world: &World) -> StageQuery {
    StageQuery {
        integration_id: world.integration,
        order_ids: Vec::new(),
        stages: Vec::new(),
        event_slugs: Vec::new(),
        created_from: None,
        created_until: None,
        list: ListQuery {
            search: None,
            sort: Sort {
                by: "id",
                descending: false,
            },
            page: PageRequest {
                size: 200,
                start: Start::Offset(0),
            },
            count: false,
        },
    }
}

fn attrs(rejection: Rejection) -> Vec<String> {
    match rejection {
        Rejection::Refused(refusals) => refusals.into_iter().map(|refusal| refusal.attr).collect(),
        Rejection::Store(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_bad_change_is_refused_with_all_that_is_wrong_and_touches_no_other() {
    let world = World::new().await;
    world.subscribe("a", Ordering::Order).await;
    let mut bad = world.stage("missing", "nonsense");
    bad.create_order = false;
    bad.event_slug = Some("nothing".to_owned());
    let stages = vec![
        world.stage("A", "ordered"),
        bad,
        world.stage("A", "scheduled"),
    ];
    let mut receipts = world.store.accept(stages).await;
    assert_eq!(receipts.len(), 3);
    let third = receipts.pop().expect("three").expect("accepted").record;
    let refused = receipts.pop().expect("two").expect_err("refused");
    let first = receipts.pop().expect("one").expect("accepted").record;
    assert_eq!(attrs(refused), ["external_order_id", "stage", "event_slug"]);
    assert_eq!(first.order_id, third.order_id);
    let page = world
        .store
        .order_stages(all_stages(&world))
        .await
        .expect("read");
    let seen: Vec<i64> = page.items.iter().map(|stage| stage.sequence).collect();
    assert_eq!(seen, [1, 2]);
}

#[tokio::test]
async fn many_changes_at_once_each_get_their_receipt_in_order() {
    let world = World::new().await;
    for key in ["a", "b", "c", "d", "e"] {
        world.subscribe(key, Ordering::Order).await;
    }
    let stages = (0..700).map(|order| world.stage(&format!("O-{order}"), "ordered"));
    let receipts = world.store.accept(stages.collect()).await;
    let ids: Vec<i64> = receipts
        .iter()
        .map(|receipt| receipt.as_ref().expect("accepted").record.id.0)
        .collect();
    assert_eq!(ids, (1..=700).collect::<Vec<_>>());
    assert_eq!(world.ready().len(), 3_500);
}

#[tokio::test]
async fn concurrent_changes_of_one_order_are_numbered_without_gaps() {
    let world = std::sync::Arc::new(World::new().await);
    world.subscribe("a", Ordering::Order).await;
    let reports: Vec<_> = (0..200)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move { world.report("A", "scheduled").await.id })
        })
        .collect();
    for report in reports {
        report.await.expect("no panic");
    }
    let page = world
        .store
        .order_stages(all_stages(&world))
        .await
        .expect("read");
    let sequences: Vec<i64> = page.items.iter().map(|stage| stage.sequence).collect();
    assert_eq!(sequences, (1..=200).collect::<Vec<_>>());
    assert_eq!(world.ready().len(), 1, "all others are held by the first");
}

#[tokio::test]
async fn the_same_key_is_answered_as_the_first_time() {
    let world = World::new().await;
    world.subscribe("a", Ordering::Order).await;
    let keyed = |hash: u8| {
        let mut stage = world.stage("A", "ordered");
        stage.idempotency = Some(Idempotency {
            key: "once".to_owned(),
            request_hash: [hash; 32],
        });
        stage
    };
    // In one list, too: the second meets the first inside the same transaction.
    let mut receipts = world.store.accept(vec![keyed(1), keyed(1)]).await;
    let again = receipts.pop().expect("two").expect("answered");
    let first = receipts.pop().expect("one").expect("accepted");
    assert!(again.replayed && !first.replayed);
    assert_eq!(again.record, first.record);
    let refused = world
        .try_accept(keyed(2))
        .await
        .expect_err("another request");
    assert_eq!(attrs(refused), ["idempotency_key"]);
    assert_eq!(world.ready().len(), 1);
}

#[tokio::test]
async fn without_a_change_of_status_only_the_event_can_match() {
    let world = World::new().await;
    world.subscribe("a", Ordering::Order).await;
    let mut stage = world.stage("A", "ordered");
    stage.update_status = false;
    stage.event_slug = Some("order.delivered".to_owned());
    let accepted = world.try_accept(stage).await.expect("accepted");
    assert_eq!(accepted.webhook_jobs, []);
}
