//! Changes of orders: reported and listed.

use std::time::Instant;

use domain::id::{OrderId, OrderStageId};
use domain::match_trace::Traced;
use domain::order::{AcceptedStage, OrderStage};
use metrics::{counter, histogram};
use store::{
    Created, Explanation, NewOrderStage, OrderRef, Page, Reference, Rejection, StageDetail,
    StageQuery, StoreError,
};

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
        let began = Instant::now();
        let receipts = self.store.accept(stages).await;
        let accepted = receipts.iter().flatten().filter(|made| !made.replayed);
        counter!("postrider_changes_accepted_total").increment(accepted.count() as u64);
        histogram!("postrider_accept_seconds").record(began.elapsed());
        receipts
            .into_iter()
            .map(|receipt: Result<_, Rejection>| receipt.map_err(Denied::from))
            .collect()
    }

    /// A change with its match trace.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn order_stage(
        &self,
        scope: &Scope<'_>,
        id: OrderStageId,
    ) -> Result<StageDetail, Denied> {
        let integration_id = scope.integration_id();
        let found = self.store.order_stage(integration_id, id).await?;
        found.ok_or_else(|| Denied::does_not_exist("id"))
    }

    /// What a change would meet in the subscriptions of an integration; of this order, or of a sample one.
    ///
    /// # Errors
    /// Refused where one of the `references` does not hold.
    pub async fn explain(
        &self,
        scope: &Scope<'_>,
        mut explanation: Explanation,
        order: Option<OrderId>,
        references: Vec<Reference>,
    ) -> Result<Vec<Traced>, Denied> {
        let refusals = self.check(references).await?;
        if !refusals.is_empty() {
            return Err(Denied::Refused(refusals));
        }
        let integration_id = scope.integration_id();
        if let Some(id) = order {
            let order = self.store.order(integration_id, OrderRef::Id(id)).await?;
            explanation.order = order;
        }
        Ok(self.store.explain(integration_id, explanation).await?)
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
