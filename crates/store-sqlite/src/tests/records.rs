//! The other records: orders, words that changes name, and what refers to what.

use domain::id::{IntegrationId, OrderId, WebhookOutSubId};
use domain::order::{OrderChanges, OrderField};
use store::{
    List, ListItemChanges, ListItems, NewListItem, NewOrder, OrderRef, OrderUpdate, Orders,
    Reference, Store, Target,
};

use super::world::{World, after, change, refused};

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

fn fields(values: &[(&str, &str)]) -> OrderChanges {
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

#[tokio::test]
async fn making_an_order_is_its_first_stage() {
    let world = World::new().await;
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
        let foreign = world.store.order(IntegrationId(99), reference).await;
        assert!(foreign.expect("read").is_none());
    }
    assert_eq!(world.count("select count(*) from webhook_jobs").await, 1);
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

#[tokio::test]
async fn updating_an_order_changes_its_fields_and_makes_no_job() {
    let world = World::new().await;
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
    assert_eq!(world.count("select count(*) from webhook_jobs").await, 2);
    let code =
        "select count(*) from audit_events where after like '%4711%' or before like '%4711%'";
    assert_eq!(world.count(code).await, 0);
    let foreign = OrderUpdate {
        integration_id: IntegrationId(99),
        id: second.id,
        ..update(None)
    };
    assert_eq!(
        refused(world.store.update_order(foreign, change(3)).await),
        ["id"]
    );
}

#[tokio::test]
async fn references_are_checked_in_their_order() {
    let world = World::new().await;
    let sub = world.subscribe(world.sub("a")).await;
    let order = world.report("A1", "hold").await.order_id;
    let switched_off = world.store.write(|writing| {
        let sql = "update list_items set active = 0 where slug = 'hold'";
        Ok(writing.connection.execute(sql, [])?)
    });
    switched_off.await.expect("switched off");
    let integration_id = world.integration;
    let (here, there) = (integration_id, IntegrationId(99));
    let word = |list, slug: &str| Target::ListItem {
        list,
        slug: slug.to_owned(),
    };
    let external = |id: &str| OrderRef::External(id.to_owned());
    let order_of = |integration_id, order| Target::Order {
        integration_id,
        order,
    };
    let free = |id: &str| Target::FreeExternalOrderId {
        integration_id,
        external_order_id: id.to_owned(),
    };
    let key = |key: &str, except| Target::FreeSubscriptionKey {
        integration_id,
        key: key.to_owned(),
        except,
    };
    let named = |key: &str, except| Target::FreeIntegrationKey {
        key: key.to_owned(),
        except,
    };
    let subscription = |integration_id, id| Target::Subscription { integration_id, id };
    let cases = [
        (Target::Integration(here), true),
        (Target::Integration(there), false),
        (word(List::OrderStatus, "scheduled"), true),
        (word(List::OrderEvent, "scheduled"), false),
        (word(List::OrderStatus, "hold"), false),
        (order_of(here, OrderRef::Id(order)), true),
        (order_of(there, OrderRef::Id(order)), false),
        (order_of(here, OrderRef::Id(OrderId(99))), false),
        (order_of(here, external("A1")), true),
        (order_of(here, external("A")), false),
        (free("A2"), true),
        (free("A1"), false),
        (named("acme", None), false),
        (named("acme", Some(here)), true),
        (named("new", None), true),
        (key("a", None), false),
        (key("a", Some(sub.id)), true),
        (key("b", None), true),
        (subscription(here, sub.id), true),
        (subscription(there, sub.id), false),
        (subscription(here, WebhookOutSubId(99)), false),
    ];
    let references = cases.iter().enumerate();
    let references =
        references.map(|(index, (target, _))| Reference::new(index.to_string(), target.clone()));
    let refusals = world
        .store
        .check(references.collect())
        .await
        .expect("checked");
    let attrs: Vec<String> = refusals.into_iter().map(|refusal| refusal.attr).collect();
    let bad = cases.iter().enumerate().filter(|(_, (_, holds))| !holds);
    let expected: Vec<String> = bad.map(|(index, _)| index.to_string()).collect();
    assert_eq!(attrs, expected);
}

#[tokio::test]
async fn a_word_is_usable_at_once_and_never_again_once_switched_off() {
    let world = World::new().await;
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
    let stage = super::world::new_stage(world.integration, "1", "drone_up");
    let receipt = store::OrderStages::accept(store, vec![stage]).await.pop();
    assert_eq!(refused(receipt.expect("a receipt")), ["stage"]);
}
