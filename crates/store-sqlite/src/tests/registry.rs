//! The API's own records, notifications, vocabularies, and the audit trail that all of them write.

use domain::id::{NotificationId, RouteId, ServiceId};
use domain::notification::{NewNotification, NotificationKind};
use domain::records::Actor;
use store::{
    AuditEvents, AuditQuery, DeclaredRoute, Deployment, List, ListItemChanges, ListItems,
    NewListItem, NotificationQuery, Notifications, RegistryRecords,
};

use super::world::{World, after, change, list, refused};

const ROUTES: [DeclaredRoute; 2] = [
    DeclaredRoute {
        service: "orders",
        action: "show",
        method: "POST",
    },
    DeclaredRoute {
        service: "orders",
        action: "update",
        method: "PUT",
    },
];

#[tokio::test]
async fn declared_routes_are_deployed_until_somebody_switches_them_off() {
    let world = World::new().await;
    let store = &world.store;
    let deployment = async |action: &str| {
        let registry = store.registry().await.expect("read");
        registry.deployment("orders", action)
    };
    assert_eq!(deployment("show").await, Deployment::NoService);
    let declare = || store.declare_routes(ROUTES.to_vec(), after(0));
    declare().await.expect("declared");
    assert_eq!(deployment("show").await, Deployment::Deployed);
    let off = store.update_route(RouteId(1), false, change(1)).await;
    assert!(!off.expect("switched").deployed);
    declare().await.expect("declared");
    assert_eq!(deployment("show").await, Deployment::NoRoute);
    assert_eq!(deployment("update").await, Deployment::Deployed);
    let off = store.update_service(ServiceId(1), false, change(2)).await;
    off.expect("switched");
    assert_eq!(deployment("update").await, Deployment::NoService);
    let unknown = store.update_service(ServiceId(9), false, change(2)).await;
    assert_eq!(refused(unknown), ["id"]);
    let service = Some("orders".to_owned());
    let routes = store.routes(service, Some(true), list(10)).await;
    let actions: Vec<String> = routes
        .expect("read")
        .items
        .into_iter()
        .map(|route| route.action)
        .collect();
    assert_eq!(actions, ["update"]);
}

#[tokio::test]
async fn the_same_notification_counts_until_it_is_read() {
    let world = World::new().await;
    let store = &world.store;
    let raise = |seconds: u64| {
        store.raise_notification(NewNotification {
            kind: NotificationKind::ApplicationCrash,
            about: "/api/v1/orders/show".to_owned(),
            integration_id: None,
            webhook_out_sub_id: None,
            message: format!("at {seconds}"),
            request_id: Some(format!("request-{seconds}")),
            at: after(seconds),
        })
    };
    raise(1).await.expect("raised");
    raise(2).await.expect("raised");
    let all = async |read: Option<bool>| {
        let query = NotificationQuery {
            kinds: vec![NotificationKind::ApplicationCrash],
            read,
            list: list(10),
        };
        store.notifications(query).await.expect("read").items
    };
    let unread = all(Some(false)).await;
    assert_eq!(unread.len(), 1);
    assert_eq!((unread[0].times, unread[0].updated_at), (2, after(2)));
    assert_eq!(unread[0].request_id.as_deref(), Some("request-2"));
    let first = unread[0].id;
    let mark = |id, read| store.update_notification(id, read, change(3));
    let read = mark(first, true).await.expect("marked");
    assert_eq!(read.read_at, Some(after(3)));
    raise(4).await.expect("raised");
    assert_eq!(all(None).await.len(), 2);
    assert_eq!(refused(mark(first, false).await), ["read"]);
    assert_eq!(refused(mark(NotificationId(99), true).await), ["id"]);
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

#[tokio::test]
async fn the_audit_trail_tells_who_changed_what() {
    let world = World::new().await;
    let store = &world.store;
    store
        .declare_routes(ROUTES.to_vec(), after(0))
        .await
        .expect("declared");
    let off = store.update_route(RouteId(2), false, change(7)).await;
    off.expect("switched");
    let query = |nouns: &[&str], record_ids: &[i64]| AuditQuery {
        integration_id: None,
        nouns: nouns.iter().map(|&noun| noun.to_owned()).collect(),
        record_ids: record_ids.to_vec(),
        actions: Vec::new(),
        list: list(10),
    };
    let events = store
        .audit_events(query(&["route"], &[2]))
        .await
        .expect("read");
    assert_eq!(events.items.len(), 1);
    let event = &events.items[0];
    assert_eq!(event.actor, Actor::CommandLine);
    assert_eq!(
        (event.action.as_str(), event.created_at),
        ("update", after(7))
    );
    let deployed = |json: &Option<Box<serde_json::value::RawValue>>| {
        let record: domain::records::Route =
            serde_json::from_str(json.as_ref().expect("a record").get()).expect("a route");
        record.deployed
    };
    assert_eq!(
        (deployed(&event.before), deployed(&event.after)),
        (true, false)
    );
    let of_integration = AuditQuery {
        integration_id: Some(world.integration),
        ..query(&[], &[])
    };
    let events = store.audit_events(of_integration).await.expect("read");
    assert_eq!(events.items[0].noun, "integration");
}
