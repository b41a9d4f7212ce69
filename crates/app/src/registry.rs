//! The API's own records, as operators switch them.

use domain::id::{RouteId, ServiceId};
use domain::records::{Route, Service};
use store::{DeclaredRoute, ListQuery, Page, StoreError};

use crate::app::App;
use crate::caller::Caller;
use crate::denied::Denied;

impl App {
    /// Makes the records of routes that are new, deployed.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn declare_routes(&self, routes: Vec<DeclaredRoute>) -> Result<(), StoreError> {
        self.store.declare_routes(routes, self.now()).await?;
        self.registry.clear();
        Ok(())
    }

    /// Services.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn services(
        &self,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Service>, Denied> {
        Ok(self.store.services(deployed, query).await?)
    }

    /// Routes, of one service where it is named.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn routes(
        &self,
        service: Option<String>,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Route>, Denied> {
        Ok(self.store.routes(service, deployed, query).await?)
    }

    /// Switches a service on or off.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn update_service(
        &self,
        caller: Caller<'_>,
        id: ServiceId,
        deployed: bool,
    ) -> Result<Service, Denied> {
        let change = self.change(caller);
        let service = self.store.update_service(id, deployed, change).await?;
        self.registry.clear();
        Ok(service)
    }

    /// Switches a route on or off.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn update_route(
        &self,
        caller: Caller<'_>,
        id: RouteId,
        deployed: bool,
    ) -> Result<Route, Denied> {
        let change = self.change(caller);
        let route = self.store.update_route(id, deployed, change).await?;
        self.registry.clear();
        Ok(route)
    }
}
