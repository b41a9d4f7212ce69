//! Integrations: whose orders and subscriptions belong together.

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::records::Integration;

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// An integration to be.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    /// Its name for machines, unique.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// How long its changes are kept with their jobs, in days; absent where the configuration decides.
    pub retention_days: Option<u32>,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// What an update says; absent means unchanged.
#[derive(Clone, Debug, Default)]
pub struct IntegrationChanges {
    /// Its name for machines.
    pub key: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// How long its changes are kept, in days; inner absence gives that back to the configuration.
    pub retention_days: Option<Option<u32>>,
}

/// Integrations.
#[async_trait]
pub trait Integrations {
    /// Makes an integration.
    ///
    /// # Errors
    /// Refused where the key is taken (`key`) or the idempotency key was used otherwise.
    async fn create_integration(
        &self,
        new: NewIntegration,
        change: Change,
    ) -> Result<Created<Integration>, Rejection>;

    /// Changes an integration.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`) or the key is taken (`key`).
    async fn update_integration(
        &self,
        id: IntegrationId,
        changes: IntegrationChanges,
        change: Change,
    ) -> Result<Integration, Rejection>;

    /// An integration.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>, StoreError>;

    /// The integration of this key.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn integration_of_key(&self, key: String) -> Result<Option<Integration>, StoreError>;

    /// Integrations; searched by `key` and `name`, sorted by `id`, `key`, `name`, `created_at` or
    /// `updated_at`. `only` are those that the caller may see, where it may not see all.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn integrations(
        &self,
        query: ListQuery,
        only: Option<Vec<IntegrationId>>,
    ) -> Result<Page<Integration>, StoreError>;
}
