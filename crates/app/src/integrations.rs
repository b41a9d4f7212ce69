//! Integrations, as callers make, change and find them.

use domain::records::Integration;
use store::{Created, IntegrationChanges, ListQuery, NewIntegration, Page};

use crate::app::App;
use crate::caller::{Caller, Scope};
use crate::denied::Denied;

impl App {
    /// Makes an integration.
    ///
    /// # Errors
    /// Refused where the key is taken.
    pub async fn create_integration(
        &self,
        caller: Caller<'_>,
        new: NewIntegration,
    ) -> Result<Created<Integration>, Denied> {
        let change = self.change(caller);
        Ok(self.store.create_integration(new, change).await?)
    }

    /// Changes an integration.
    ///
    /// # Errors
    /// Refused where the key is taken.
    pub async fn update_integration(
        &self,
        scope: &Scope<'_>,
        changes: IntegrationChanges,
    ) -> Result<Integration, Denied> {
        let change = self.change(scope.caller());
        let id = scope.integration_id();
        Ok(self.store.update_integration(id, changes, change).await?)
    }

    /// An integration.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn integration(&self, scope: &Scope<'_>) -> Result<Integration, Denied> {
        let found = self.store.integration(scope.integration_id()).await?;
        found.ok_or_else(|| Denied::does_not_exist("id"))
    }

    /// The integrations that the caller may see.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn integrations(
        &self,
        caller: Caller<'_>,
        query: ListQuery,
    ) -> Result<Page<Integration>, Denied> {
        let only = caller.principal.only().map(<[_]>::to_vec);
        Ok(self.store.integrations(query, only).await?)
    }
}
