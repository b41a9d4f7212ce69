//! Orders.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId};
use domain::order::{Order, OrderChanges};
use domain::time::Moment;

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::order_stages::OrderRef;
use crate::page::{ListQuery, Page};

/// An order to be. Making it is its first stage, which may make jobs.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// Whose it will be.
    pub integration_id: IntegrationId,
    /// The order system's own id, unique in the integration.
    pub external_order_id: Option<String>,
    /// Its status, and the first stage.
    pub status: String,
    /// The event of the first stage.
    pub event_slug: Option<String>,
    /// Everything else that is known.
    pub fields: OrderChanges,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// What an update says about an order; its status changes by stages only.
#[derive(Clone, Debug)]
pub struct OrderUpdate {
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// Which.
    pub id: OrderId,
    /// A new id of the order system; absent means unchanged, `Some(None)` clears.
    pub external_order_id: Option<Option<String>>,
    /// What else changes.
    pub changes: OrderChanges,
}

/// Which orders.
#[derive(Clone, Debug)]
pub struct OrderQuery {
    /// Whose.
    pub integration_id: IntegrationId,
    /// Only these statuses; empty means all.
    pub statuses: Vec<String>,
    /// Only these ids of the order system; empty means all.
    pub external_order_ids: Vec<String>,
    /// Only those made at or after this moment.
    pub created_from: Option<Moment>,
    /// Only those made before this moment.
    pub created_until: Option<Moment>,
    /// Searched by `external_order_id`, `status` and `address`; sorted by `id`, `created_at` or
    /// `updated_at`.
    pub list: ListQuery,
}

/// Orders.
#[async_trait]
pub trait Orders {
    /// Makes an order with its first stage, and the jobs of that.
    ///
    /// # Errors
    /// Refused where the external id is taken or a slug is unknown.
    async fn create_order(
        &self,
        new: NewOrder,
        change: Change,
    ) -> Result<Created<Order>, Rejection>;

    /// Changes fields of an order; makes no job.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), or the external id is taken.
    async fn update_order(&self, update: OrderUpdate, change: Change) -> Result<Order, Rejection>;

    /// An order of the integration.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn order(
        &self,
        integration_id: IntegrationId,
        order: OrderRef,
    ) -> Result<Option<Order>, StoreError>;

    /// Orders of an integration.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn orders(&self, query: OrderQuery) -> Result<Page<Order>, StoreError>;
}
