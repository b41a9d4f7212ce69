//! Changes: what is stored, refused, repeated, and how they share a commit.

use domain::id::IntegrationId;
use domain::webhook_out_sub::Ordering;
use store::{
    Idempotency, List, ListItemChanges, ListQuery, NewListItem, PageRequest, Rejection, Sort,
    StageQuery, Start, StoreError,
};

use crate::{Event, Working, World, after, change, list, new_stage, new_sub, refused};

fn all_stages(world: &World<impl Working>) -> StageQuery {
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

pub async fn a_bad_change_is_refused_with_all_that_is_wrong_and_touches_no_other(
    world: &World<impl Working>,
) {
    world.sub_in("a", Ordering::Order).await;
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
        .order_stages(all_stages(world))
        .await
        .expect("read");
    let seen: Vec<i64> = page.items.iter().map(|stage| stage.sequence).collect();
    assert_eq!(seen, [1, 2]);
}

pub async fn many_changes_at_once_each_get_their_receipt_in_order(world: &World<impl Working>) {
    for key in ["a", "b", "c", "d", "e"] {
        world.sub_in(key, Ordering::Order).await;
    }
    let stages = (0..700).map(|order| world.stage(&format!("O-{order}"), "ordered"));
    let receipts = world.store.accept(stages.collect()).await;
    let ids: Vec<i64> = receipts
        .iter()
        .map(|receipt| receipt.as_ref().expect("accepted").record.id.0)
        .collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
    assert_eq!(world.ready().len(), 3_500);
}

pub async fn concurrent_changes_of_one_order_are_numbered_without_gaps(
    world: &World<impl Working>,
) {
    world.sub_in("a", Ordering::Order).await;
    let reports = (0..200).map(|_| world.report("A", "scheduled"));
    futures_util::future::join_all(reports).await;
    let page = world.store.order_stages(all_stages(world)).await;
    let items = page.expect("read").items;
    let sequences: Vec<i64> = items.iter().map(|stage| stage.sequence).collect();
    assert_eq!(sequences, (1..=200).collect::<Vec<_>>());
    assert_eq!(world.ready().len(), 1, "all others are held by the first");
}

pub async fn the_same_key_is_answered_as_the_first_time(world: &World<impl Working>) {
    world.sub_in("a", Ordering::Order).await;
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

pub async fn without_a_change_of_status_only_the_event_can_match(world: &World<impl Working>) {
    world.sub_in("a", Ordering::Order).await;
    let mut stage = world.stage("A", "ordered");
    stage.update_status = false;
    stage.event_slug = Some("order.delivered".to_owned());
    let accepted = world.try_accept(stage).await.expect("accepted");
    assert_eq!(accepted.webhook_jobs, []);
}

pub async fn stages_are_listed_in_the_order_of_commits(world: &World<impl Working>) {
    let a = world.report("A", "ordered").await;
    let b = world.report("B", "ordered").await;
    let a2 = world.report("A", "hold").await;
    let all = || StageQuery {
        integration_id: world.integration,
        order_ids: Vec::new(),
        stages: Vec::new(),
        event_slugs: Vec::new(),
        created_from: None,
        created_until: None,
        list: list(50),
    };
    let cases = [
        (all(), vec![a.id, b.id, a2.id]),
        (
            StageQuery {
                order_ids: vec![a.order_id],
                ..all()
            },
            vec![a.id, a2.id],
        ),
        (
            StageQuery {
                order_ids: vec![b.order_id, a.order_id],
                ..all()
            },
            vec![a.id, b.id, a2.id],
        ),
        (
            StageQuery {
                stages: vec!["hold".to_owned()],
                ..all()
            },
            vec![a2.id],
        ),
        (
            StageQuery {
                event_slugs: vec!["order.delivered".to_owned()],
                ..all()
            },
            vec![],
        ),
        (
            StageQuery {
                created_from: Some(after(1)),
                ..all()
            },
            vec![],
        ),
        (
            StageQuery {
                integration_id: IntegrationId(999),
                order_ids: vec![a.order_id],
                ..all()
            },
            vec![],
        ),
    ];
    for (query, expected) in cases {
        let context = format!("{query:?}");
        let page = world.store.order_stages(query).await.expect(&context);
        let ids: Vec<_> = page.items.iter().map(|stage| stage.id).collect();
        assert_eq!(ids, expected, "{context}");
    }
}

pub async fn a_word_is_usable_at_once_and_never_again_once_switched_off(
    world: &World<impl Working>,
) {
    let store = &world.store;
    let new = || NewListItem {
        list: List::OrderStatus,
        slug: "drone_up".to_owned(),
        name: "Drone up".to_owned(),
        description: None,
        active: true,
        idempotency: None,
    };
    // The writer has read the vocabularies by now.
    world.report("1", "hold").await;
    let made = store.create_list_item(new(), change(0)).await;
    let id = made.expect("made").record.id;
    world.report("1", "drone_up").await;
    let again = store.create_list_item(new(), change(0)).await;
    assert_eq!(refused(again.map(|_| ())), ["slug"]);
    let changes = ListItemChanges {
        active: Some(false),
        description: Some(Some("The drone flies.".to_owned())),
        ..ListItemChanges::default()
    };
    let off = store.update_list_item(id, changes, change(1)).await;
    assert!(!off.expect("switched").active);
    let stage = crate::new_stage(world.integration, "1", "drone_up");
    let receipt = store.accept(vec![stage]).await.pop();
    assert_eq!(refused(receipt.expect("a receipt")), ["stage"]);
}

pub async fn a_change_that_fails_is_left_out_of_its_commit_and_takes_no_other_with_it(
    world: &World<impl Working>,
) {
    world.subscribe(world.sub("whole")).await;
    let broken = world.integrate("broken").await;
    world.subscribe(new_sub(broken, "corrupt")).await;
    let corrupt = "update webhook_out_subs set version = 'v0' where key = 'corrupt'";
    world.raw.execute(corrupt).await;
    world.told.take();
    let stages = vec![
        world.stage("A-1", "scheduled"),
        new_stage(broken, "B-1", "scheduled"),
        world.stage("A-1", "completed"),
        world.stage("A-2", "scheduled"),
    ];
    let receipts = world.store.accept(stages).await;
    let made: Vec<_> = receipts
        .iter()
        .map(|receipt| match receipt {
            Ok(created) => Some(created.record.webhook_jobs[0].id),
            Err(Rejection::Store(StoreError::Corrupt { .. })) => None,
            Err(other) => panic!("{other:?}"),
        })
        .collect();
    let [Some(first), None, Some(second), Some(third)] = made[..] else {
        panic!("{made:?}");
    };
    assert!(first < second && second < third);
    for (sql, expected) in [
        ("select count(*) from orders", 2),
        ("select count(*) from order_stages", 3),
        ("select count(*) from webhook_jobs", 3),
        ("select count(*) from payloads", 3),
    ] {
        assert_eq!(world.raw.count(sql).await, expected, "{sql}");
    }
    // What was undone was told to nobody, and what was done again is told once; the second is held by the first.
    assert_eq!(world.told.take(), [first, third].map(Event::Ready));
}

/// The laws of this file.
#[macro_export]
macro_rules! order_stages_laws {
    ($test:ident) => {
        $test! {
            order_stages: a_bad_change_is_refused_with_all_that_is_wrong_and_touches_no_other,
            many_changes_at_once_each_get_their_receipt_in_order,
            concurrent_changes_of_one_order_are_numbered_without_gaps,
            the_same_key_is_answered_as_the_first_time,
            without_a_change_of_status_only_the_event_can_match,
            stages_are_listed_in_the_order_of_commits,
            a_word_is_usable_at_once_and_never_again_once_switched_off,
            a_change_that_fails_is_left_out_of_its_commit_and_takes_no_other_with_it
        }
    };
}
