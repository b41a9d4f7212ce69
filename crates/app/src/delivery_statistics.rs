//! How deliveries went.

use domain::delivery_statistics::DeliveryFigures;
use store::StatisticsQuery;

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;

impl App {
    /// What was counted in each period, the earliest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn delivery_statistics(
        &self,
        scope: &Scope<'_>,
        mut query: StatisticsQuery,
    ) -> Result<Vec<DeliveryFigures>, Denied> {
        query.integration_id = scope.integration_id();
        Ok(self.store.delivery_statistics(query).await?)
    }
}
