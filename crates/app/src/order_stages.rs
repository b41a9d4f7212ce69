//! Changes of orders: reported and listed.

use domain::order::{AcceptedStage, OrderStage};
use store::{Created, NewOrderStage, Page, Rejection, StageQuery, StoreError};

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;

impl App {
    /// Accepts a change; it is durable when this returns.
    ///
    /// # Errors
    /// Refused where the order does not exist or a slug is unknown.
    pub async fn accept(
        &self,
        scope: &Scope<'_>,
        stage: NewOrderStage,
    ) -> Result<Created<AcceptedStage>, Denied> {
        match self.accept_many(scope, vec![stage]).await.pop() {
            Some(receipt) => receipt,
            None => Err(StoreError::Failed("a change has no receipt".to_owned()).into()),
        }
    }

    /// Accepts changes; the receipts stand in their order, and one that is refused does not touch the
    /// others.
    pub async fn accept_many(
        &self,
        scope: &Scope<'_>,
        mut stages: Vec<NewOrderStage>,
    ) -> Vec<Result<Created<AcceptedStage>, Denied>> {
        for stage in &mut stages {
            stage.integration_id = scope.integration_id();
        }
        let receipts = self.store.accept(stages).await;
        receipts
            .into_iter()
            .map(|receipt: Result<_, Rejection>| receipt.map_err(Denied::from))
            .collect()
    }

    /// Changes of orders.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn order_stages(
        &self,
        scope: &Scope<'_>,
        mut query: StageQuery,
    ) -> Result<Page<OrderStage>, Denied> {
        query.integration_id = scope.integration_id();
        Ok(self.store.order_stages(query).await?)
    }
}
