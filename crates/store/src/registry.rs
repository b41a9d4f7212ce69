//! The API's own records: which services and routes are deployed.

use std::collections::HashMap;

use async_trait::async_trait;
use domain::id::{RouteId, ServiceId};
use domain::records::{Route, Service};
use domain::time::Moment;

use crate::change::Change;
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// A route as its declaration names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredRoute {
    /// The noun in the path.
    pub service: &'static str,
    /// The verb in the path.
    pub action: &'static str,
    /// The HTTP method.
    pub method: &'static str,
}

/// Which routes answer.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    services: HashMap<String, DeployedService>,
}

#[derive(Clone, Debug, Default)]
struct DeployedService {
    deployed: bool,
    routes: HashMap<String, bool>,
}

/// Whether a route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deployment {
    /// It does.
    Deployed,
    /// Its service does not.
    NoService,
    /// It does not, though its service does.
    NoRoute,
}

impl Registry {
    /// Adds the record of a service.
    pub fn service(&mut self, key: &str, deployed: bool) {
        self.services.entry(key.to_owned()).or_default().deployed = deployed;
    }

    /// Adds the record of a route.
    pub fn route(&mut self, service: &str, action: &str, deployed: bool) {
        let service = self.services.entry(service.to_owned()).or_default();
        service.routes.insert(action.to_owned(), deployed);
    }

    /// Whether a route answers; one without a record does not.
    pub fn deployment(&self, service: &str, action: &str) -> Deployment {
        match self.services.get(service) {
            Some(service) if service.deployed => match service.routes.get(action) {
                Some(true) => Deployment::Deployed,
                _ => Deployment::NoRoute,
            },
            _ => Deployment::NoService,
        }
    }
}

/// The API's own records.
#[async_trait]
pub trait RegistryRecords {
    /// Makes the records that are missing, deployed.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn declare_routes(
        &self,
        routes: Vec<DeclaredRoute>,
        now: Moment,
    ) -> Result<(), StoreError>;

    /// Which routes answer.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn registry(&self) -> Result<Registry, StoreError>;

    /// Services; searched by `key`, sorted by `id` or `key`. `deployed` keeps only those that are, or are
    /// not.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn services(
        &self,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Service>, StoreError>;

    /// Routes, of one service where it is named; searched by `service` and `action`, sorted by `id`,
    /// `service` or `action`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn routes(
        &self,
        service: Option<String>,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Route>, StoreError>;

    /// Switches a service on or off.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn update_service(
        &self,
        id: ServiceId,
        deployed: bool,
        change: Change,
    ) -> Result<Service, Rejection>;

    /// Switches a route on or off.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn update_route(
        &self,
        id: RouteId,
        deployed: bool,
        change: Change,
    ) -> Result<Route, Rejection>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_answers_if_it_and_its_service_are_deployed() {
        let mut registry = Registry::default();
        registry.service("orders", true);
        registry.route("orders", "show", true);
        registry.route("orders", "index", false);
        registry.service("sessions", false);
        registry.route("sessions", "show", true);
        let cases = [
            ("orders", "show", Deployment::Deployed),
            ("orders", "index", Deployment::NoRoute),
            ("orders", "create", Deployment::NoRoute),
            ("sessions", "show", Deployment::NoService),
            ("users", "show", Deployment::NoService),
        ];
        for (service, action, expected) in cases {
            let found = registry.deployment(service, action);
            assert_eq!(found, expected, "{service}/{action}");
        }
    }
}
