//! The audit trail that all records write.

use domain::records::Actor;
use store::{AuditEvents, AuditQuery, RegistryRecords};

use crate::registry::{ROUTES, route};
use crate::{World, after, change, list};

pub async fn the_audit_trail_tells_who_changed_what(
    world: &World<impl AuditEvents + RegistryRecords>,
) {
    let store = &world.store;
    store
        .declare_routes(ROUTES.to_vec(), after(0))
        .await
        .expect("declared");
    let update = route(world, "update").await;
    let off = store.update_route(update, false, change(7)).await;
    off.expect("switched");
    let query = |nouns: &[&str], record_ids: &[i64]| AuditQuery {
        integration_id: None,
        nouns: nouns.iter().map(|&noun| noun.to_owned()).collect(),
        record_ids: record_ids.to_vec(),
        actions: Vec::new(),
        list: list(10),
    };
    let events = store
        .audit_events(query(&["route"], &[update.0]))
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

/// The laws of this file.
#[macro_export]
macro_rules! audit_events_laws {
    ($test:ident) => {
        $test! {
            audit_events: the_audit_trail_tells_who_changed_what
        }
    };
}
