//! Order stages: accepted by `accept`, listed here.
//!
//! Several transactions store stages at once, so one with a larger id may be committed before one with a smaller one. A list in the order of
//! ids must not show the first before the second: whoever follows its cursor would never see that. So it ends at the first
//! stage that may still come.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId, OrderStageId};
use domain::match_trace::Traced;
use domain::order::{AcceptedStage, OrderStage};
use futures_util::FutureExt;
use store::{
    Created, Explanation, NewOrderStage, OrderStages, Page, Rejection, StageDetail, StageQuery,
    StoreError,
};
use tokio_postgres::Row;

use crate::accept::accept;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::time::Timeline;
use crate::list_query::{Branch, Condition, ListPlan, moment, of_ids, one};
use crate::open::PostgresStore;
use crate::{locks, match_trace};

macro_rules! select_stage {
    () => {
        "select id, integration_id, order_id, sequence, stage, event_slug, update_status, stage_at, \
         created_at from order_stages "
    };
}

// primary key
pub(crate) const BY_IDS: &str = concat!(select_stage!(), "where id = any($1)");
// primary key
pub(crate) const BY_ID: &str = concat!(select_stage!(), "where id = $1");
// primary key
pub(crate) const FIRST_FROM: &str =
    "select id, created_at from order_stages where id >= $1 order by id limit 1";
// primary key
pub(crate) const LAST: &str = "select max(id) from order_stages";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_IDS, BY_ID, FIRST_FROM, LAST];

/// Along order_stages_by_integration or order_stages_by_order.
const STAGES: &str = "order_stages";
const TIMELINE: Timeline = Timeline {
    first_from: FIRST_FROM,
    last: LAST,
};

/// A stage.
pub(crate) async fn of_id(connection: &Connection, id: i64) -> Result<Option<OrderStage>, Fault> {
    one(connection, BY_ID, &[&id], read).await
}

/// The stages with these ids.
pub(crate) async fn of_these(
    connection: &Connection,
    ids: &[i64],
) -> Result<Vec<(i64, OrderStage)>, Fault> {
    of_ids(connection, BY_IDS, ids, read).await
}

#[async_trait]
impl OrderStages for PostgresStore {
    async fn accept(
        &self,
        stages: Vec<NewOrderStage>,
    ) -> Vec<Result<Created<AcceptedStage>, Rejection>> {
        accept(self, stages).await
    }

    async fn order_stages(&self, query: StageQuery) -> Result<Page<OrderStage>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan(&connection, &query).await?;
        let page = plan.page(&connection, &query.list, |connection, ids| {
            of_ids(connection, BY_IDS, ids, read).boxed()
        });
        Ok(page.await?)
    }

    async fn order_stage(
        &self,
        integration_id: IntegrationId,
        id: OrderStageId,
    ) -> Result<Option<StageDetail>, StoreError> {
        let connection = self.connection().await?;
        Ok(match_trace::stage_detail(&connection, integration_id, id).await?)
    }

    async fn explain(
        &self,
        integration_id: IntegrationId,
        explanation: Explanation,
    ) -> Result<Vec<Traced>, StoreError> {
        let connection = self.connection().await?;
        Ok(match_trace::explain(&connection, integration_id, &explanation).await?)
    }
}

/// Orders lead straight to their stages; everything else is looked at along the way.
pub(crate) async fn plan_all(
    connection: &Connection,
    query: &StageQuery,
) -> Result<ListPlan, Fault> {
    let integration = [query.integration_id.0.into()];
    let mut conditions = vec![Condition::new("integration_id = ?", integration)];
    if !query.stages.is_empty() {
        conditions.push(Condition::among("stage", query.stages.clone()));
    }
    if !query.event_slugs.is_empty() {
        conditions.push(Condition::among("event_slug", query.event_slugs.clone()));
    }
    let mut branches = Vec::new();
    for order in &query.order_ids {
        let order = Condition::new("order_id = ?", [order.0.into()]);
        branches.push(Branch::new(STAGES, order));
    }
    if branches.is_empty() {
        branches.push(Branch::new(STAGES, Condition::new("true", [])));
    }
    ListPlan::new(branches, conditions)
        .created(
            connection,
            TIMELINE,
            query.created_from,
            query.created_until,
        )
        .await
}

/// The same, up to the first stage that may still come.
async fn plan(connection: &Connection, query: &StageQuery) -> Result<ListPlan, Fault> {
    // Before anything else is looked at: what is settled is there from now on.
    let settled = locks::settled_stages(connection).await?;
    let mut plan = plan_all(connection, query).await?;
    plan.ids.end = plan.ids.end.min(settled);
    Ok(plan)
}

fn read(row: &Row) -> Result<OrderStage, Fault> {
    Ok(OrderStage {
        id: OrderStageId(row.try_get("id")?),
        integration_id: IntegrationId(row.try_get("integration_id")?),
        order_id: OrderId(row.try_get("order_id")?),
        sequence: row.try_get("sequence")?,
        stage: row.try_get("stage")?,
        event_slug: row.try_get("event_slug")?,
        update_status: row.try_get("update_status")?,
        stage_at: moment(row, "stage_at")?,
        created_at: moment(row, "created_at")?,
    })
}
