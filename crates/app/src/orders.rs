//! Orders, as callers make, change and find them. The scope decides whose they are, whatever the record
//! says.

use domain::id::OrderId;
use domain::order::Order;
use store::{Created, NewOrder, OrderQuery, OrderRef, OrderUpdate, Page};

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;

impl App {
    /// Makes an order with its first stage.
    ///
    /// # Errors
    /// Refused where the external id is taken or a slug is unknown.
    pub async fn create_order(
        &self,
        scope: &Scope<'_>,
        mut new: NewOrder,
    ) -> Result<Created<Order>, Denied> {
        new.integration_id = scope.integration_id();
        let change = self.change(scope.caller());
        Ok(self.store.create_order(new, change).await?)
    }

    /// Changes fields of an order.
    ///
    /// # Errors
    /// Refused where it does not exist, or the external id is taken.
    pub async fn update_order(
        &self,
        scope: &Scope<'_>,
        mut update: OrderUpdate,
    ) -> Result<Order, Denied> {
        update.integration_id = scope.integration_id();
        let change = self.change(scope.caller());
        Ok(self.store.update_order(update, change).await?)
    }

    /// An order.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn order(&self, scope: &Scope<'_>, id: OrderId) -> Result<Order, Denied> {
        let order = OrderRef::Id(id);
        let found = self.store.order(scope.integration_id(), order).await?;
        found.ok_or_else(|| Denied::does_not_exist("id"))
    }

    /// Orders.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn orders(
        &self,
        scope: &Scope<'_>,
        mut query: OrderQuery,
    ) -> Result<Page<Order>, Denied> {
        query.integration_id = scope.integration_id();
        Ok(self.store.orders(query).await?)
    }
}
