//! What refers to what.

use domain::id::{IntegrationId, OrderId, WebhookOutSubId};
use store::{List, OrderRef, Reference, Store, Target};

use super::world::World;

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
