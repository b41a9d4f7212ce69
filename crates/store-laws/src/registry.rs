//! The API's own records: which services and routes are deployed.

use domain::id::{RouteId, ServiceId};
use store::{DeclaredRoute, Deployment, RegistryRecords};

use crate::{World, after, change, list, refused};

pub(crate) const ROUTES: [DeclaredRoute; 2] = [
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

/// The record of a declared route.
pub(crate) async fn route(world: &World<impl RegistryRecords>, action: &str) -> RouteId {
    let routes = world.store.routes(None, None, list(10)).await;
    let routes = routes.expect("read").items;
    let found = routes.iter().find(|route| route.action == action);
    found.expect("declared").id
}

pub async fn declared_routes_are_deployed_until_somebody_switches_them_off(
    world: &World<impl RegistryRecords>,
) {
    let store = &world.store;
    let deployment = async |action: &str| {
        let registry = store.registry().await.expect("read");
        registry.deployment("orders", action)
    };
    assert_eq!(deployment("show").await, Deployment::NoService);
    let declare = || store.declare_routes(ROUTES.to_vec(), after(0));
    declare().await.expect("declared");
    assert_eq!(deployment("show").await, Deployment::Deployed);
    let shown = route(world, "show").await;
    let off = store.update_route(shown, false, change(1)).await;
    assert!(!off.expect("switched").deployed);
    declare().await.expect("declared");
    assert_eq!(deployment("show").await, Deployment::NoRoute);
    assert_eq!(deployment("update").await, Deployment::Deployed);
    let services = store.services(None, list(10)).await.expect("read");
    let service = services.items[0].id;
    let off = store.update_service(service, false, change(2)).await;
    off.expect("switched");
    assert_eq!(deployment("update").await, Deployment::NoService);
    let unknown = store.update_service(ServiceId(999), false, change(2)).await;
    assert_eq!(refused(unknown), ["id"]);
    let of_orders = Some("orders".to_owned());
    let routes = store.routes(of_orders, Some(true), list(10)).await;
    let actions: Vec<String> = routes
        .expect("read")
        .items
        .into_iter()
        .map(|route| route.action)
        .collect();
    assert_eq!(actions, ["update"]);
}

/// The laws of this file.
#[macro_export]
macro_rules! registry_laws {
    ($test:ident) => {
        $test! {
            registry: declared_routes_are_deployed_until_somebody_switches_them_off
        }
    };
}
