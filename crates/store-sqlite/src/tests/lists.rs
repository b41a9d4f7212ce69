//! The lists of what changes make, but for jobs.

use domain::id::IntegrationId;
use store::{
    ListQuery, OrderQuery, OrderStages, Orders, Page, Search, Sort, StageQuery,
    WebhookOutSubChanges, WebhookOutSubs,
};

use super::world::{World, after, change, list, new_stage};

fn sorted(by: &'static str, descending: bool, size: u32) -> ListQuery {
    ListQuery {
        sort: Sort { by, descending },
        ..list(size)
    }
}

fn searched(term: &str, attributes: &[&'static str]) -> ListQuery {
    ListQuery {
        search: Some(Search {
            term: term.to_owned(),
            attributes: attributes.to_vec(),
        }),
        ..list(50)
    }
}

fn all_orders(integration_id: IntegrationId) -> OrderQuery {
    OrderQuery {
        integration_id,
        statuses: Vec::new(),
        external_order_ids: Vec::new(),
        created_from: None,
        created_until: None,
        list: list(50),
    }
}

fn count<T>(page: &Page<T>) -> u64 {
    page.count.expect("a count").count
}

#[tokio::test]
async fn subscriptions_are_found_by_prefix_and_by_being_active() {
    let world = World::new().await;
    let a = world.subscribe(world.sub("alpha")).await;
    let b = world.subscribe(world.sub("alphabet")).await;
    let gone = world.subscribe(world.sub("alpha-gone")).await;
    let deleted = world
        .store
        .delete_webhook_out_sub(world.integration, gone.id, change(1))
        .await;
    deleted.expect("deleted");
    let off = WebhookOutSubChanges {
        active: Some(false),
        ..WebhookOutSubChanges::default()
    };
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, b.id, off, change(1))
        .await;
    updated.expect("off");
    let cases = [
        ("alpha", "key", None, vec![a.id, b.id]),
        ("alpha", "key", Some(true), vec![a.id]),
        ("alpha", "key", Some(false), vec![b.id]),
        ("alphab", "key", None, vec![b.id]),
        ("lpha", "key", None, vec![]),
        ("Name of", "name", None, vec![a.id, b.id]),
        ("https://alpha.", "callback_url", None, vec![a.id]),
    ];
    for (term, attribute, active, expected) in cases {
        let query = searched(term, &[attribute]);
        let page = world
            .store
            .webhook_out_subs(world.integration, active, query)
            .await;
        let found: Vec<_> = page
            .expect("a page")
            .items
            .iter()
            .map(|sub| sub.id)
            .collect();
        assert_eq!(found, expected, "{term} {attribute} {active:?}");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn orders_are_found_by_what_people_know_of_them() {
    let world = World::new().await;
    for (number, (external, status)) in [("A1", "hold"), ("A12", "scheduled"), ("B1", "scheduling")]
        .into_iter()
        .enumerate()
    {
        let mut stage = new_stage(world.integration, external, status);
        stage.at = after(1_000 * number as u64);
        let accepted = world.store.accept(vec![stage]).await.remove(0);
        accepted.expect("accepted");
    }
    let all = || all_orders(world.integration);
    let text = |text: &str| vec![text.to_owned()];
    let found = |term, attributes: &[&'static str]| OrderQuery {
        list: searched(term, attributes),
        ..all()
    };
    let cases = [
        (all(), vec!["A1", "A12", "B1"]),
        (
            OrderQuery {
                statuses: text("hold"),
                ..all()
            },
            vec!["A1"],
        ),
        (
            OrderQuery {
                external_order_ids: text("A1"),
                ..all()
            },
            vec!["A1"],
        ),
        (
            OrderQuery {
                external_order_ids: text("A"),
                ..all()
            },
            vec![],
        ),
        (
            OrderQuery {
                created_from: Some(after(1_000)),
                ..all()
            },
            vec!["A12", "B1"],
        ),
        (
            OrderQuery {
                created_until: Some(after(1_000)),
                ..all()
            },
            vec!["A1"],
        ),
        (found("A1", &["external_order_id"]), vec!["A1", "A12"]),
        (found("sched", &["status"]), vec!["A12", "B1"]),
        (
            found("A1", &["external_order_id", "status", "address"]),
            vec!["A1", "A12"],
        ),
        (
            OrderQuery {
                external_order_ids: text("B1"),
                ..found("sched", &["status"])
            },
            vec!["B1"],
        ),
        (
            OrderQuery {
                list: sorted("updated_at", true, 50),
                ..all()
            },
            vec!["B1", "A12", "A1"],
        ),
        (
            OrderQuery {
                list: sorted("created_at", true, 50),
                ..all()
            },
            vec!["B1", "A12", "A1"],
        ),
        (all_orders(IntegrationId(99)), vec![]),
    ];
    for (query, expected) in cases {
        let context = format!("{query:?}");
        let page = world.store.orders(query).await.expect(&context);
        let ids: Vec<_> = page
            .items
            .iter()
            .filter_map(|order| order.external_order_id.as_deref())
            .collect();
        assert_eq!(ids, expected, "{context}");
        assert_eq!(count(&page), expected.len() as u64, "{context}");
    }
}

#[tokio::test]
async fn stages_are_listed_in_the_order_of_commits() {
    let world = World::new().await;
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
                integration_id: IntegrationId(99),
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
