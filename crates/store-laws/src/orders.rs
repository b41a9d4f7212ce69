//! Orders: made with their first stage, changed in their fields, found.

use domain::id::IntegrationId;
use domain::order::{OrderChanges, OrderField};
use store::{NewOrder, OrderQuery, OrderRef, OrderUpdate, Page};

use crate::{Working, World, after, change, list, new_stage, refused, searched, sorted};

fn order(integration_id: IntegrationId, external: Option<&str>) -> NewOrder {
    NewOrder {
        integration_id,
        external_order_id: external.map(str::to_owned),
        status: "new_request".to_owned(),
        event_slug: None,
        fields: fields(&[("address", r#"{"street":"1 Main Street"}"#)]),
        idempotency: None,
    }
}

pub(crate) fn fields(values: &[(&str, &str)]) -> OrderChanges {
    let change = |(name, json): &(&str, &str)| {
        let field = OrderField::ALL
            .into_iter()
            .find(|field| field.name() == *name);
        let value = serde_json::from_str(json).expect("JSON");
        (field.expect("a field"), Some(value))
    };
    OrderChanges {
        changes: values.iter().map(change).collect(),
    }
}

pub async fn making_an_order_is_its_first_stage(world: &World<impl Working>) {
    world.subscribe(world.sub("a")).await;
    let made = world
        .store
        .create_order(order(world.integration, Some("A1")), change(3))
        .await;
    let made = made.expect("made").record;
    assert_eq!((made.sequence, made.created_at), (1, after(3)));
    for reference in [OrderRef::Id(made.id), OrderRef::External("A1".to_owned())] {
        let found = world
            .store
            .order(world.integration, reference.clone())
            .await;
        assert_eq!(found.expect("read").expect("there").id, made.id);
        let foreign = world.store.order(IntegrationId(999), reference).await;
        assert!(foreign.expect("read").is_none());
    }
    assert_eq!(
        world.raw.count("select count(*) from webhook_jobs").await,
        1
    );
    let without = world
        .store
        .create_order(order(world.integration, None), change(4))
        .await;
    assert_eq!(without.expect("made").record.external_order_id, None);
    let bad = NewOrder {
        status: "x".to_owned(),
        event_slug: Some("y".to_owned()),
        ..order(world.integration, Some("A1"))
    };
    let attrs = refused(world.store.create_order(bad, change(5)).await);
    assert_eq!(attrs, ["status", "event_slug", "external_order_id"]);
}

pub async fn updating_an_order_changes_its_fields_and_makes_no_job(world: &World<impl Working>) {
    world.subscribe(world.sub("a")).await;
    let create = |external| {
        world
            .store
            .create_order(order(world.integration, external), change(0))
    };
    let first = create(Some("A1")).await.expect("made").record;
    let second = create(Some("A2")).await.expect("made").record;
    let update = |external: Option<&str>| OrderUpdate {
        integration_id: world.integration,
        id: first.id,
        external_order_id: Some(external.map(str::to_owned)),
        changes: fields(&[
            ("order_notes", r#""ring twice""#),
            ("property_access", r#"{"access_code":"4711"}"#),
        ]),
    };
    let taken = world
        .store
        .update_order(update(Some("A2")), change(1))
        .await;
    assert_eq!(refused(taken), ["external_order_id"]);
    for external in [Some("A1"), Some("A3"), None] {
        let updated = world.store.update_order(update(external), change(2)).await;
        let updated = updated.expect("changed");
        assert_eq!(updated.external_order_id.as_deref(), external);
        let notes = updated
            .fields
            .get(OrderField::OrderNotes)
            .map(|json| json.get());
        assert_eq!((notes, updated.sequence), (Some("\"ring twice\""), 1));
        assert!(updated.fields.get(OrderField::Address).is_some());
    }
    assert_eq!(
        world.raw.count("select count(*) from webhook_jobs").await,
        2
    );
    let code =
        "select count(*) from audit_events where after like '%4711%' or before like '%4711%'";
    assert_eq!(world.raw.count(code).await, 0);
    let foreign = OrderUpdate {
        integration_id: IntegrationId(999),
        id: second.id,
        ..update(None)
    };
    assert_eq!(
        refused(world.store.update_order(foreign, change(3)).await),
        ["id"]
    );
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

#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub async fn orders_are_found_by_what_people_know_of_them(world: &World<impl Working>) {
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
        (all_orders(IntegrationId(999)), vec![]),
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

/// The laws of this file.
#[macro_export]
macro_rules! orders_laws {
    ($test:ident) => {
        $test! {
            orders: making_an_order_is_its_first_stage,
            updating_an_order_changes_its_fields_and_makes_no_job,
            orders_are_found_by_what_people_know_of_them
        }
    };
}
