//! Order stages: accepted by `accept`, listed here.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId, OrderStageId};
use domain::match_trace::Traced;
use domain::order::{AcceptedStage, OrderStage};
use rusqlite::{Connection, Row};
use store::{
    Created, Explanation, NewOrderStage, OrderStages, Page, Rejection, StageDetail, StageQuery,
    StoreError,
};

use crate::accept::accept;
use crate::fault::Fault;
use crate::list_query::time::Timeline;
use crate::list_query::{Branch, Condition, ListPlan, moment, one};
use crate::match_trace;
use crate::open::SqliteStore;

// primary key
pub(crate) const BY_ID: &str = "select id, integration_id, order_id, sequence, stage, event_slug, update_status, stage_at, \
     created_at from order_stages where id = ?1";
// primary key
pub(crate) const FIRST_FROM: &str =
    "select id, created_at from order_stages where id >= ?1 order by id limit 1";
// primary key
pub(crate) const LAST: &str = "select max(id) from order_stages";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[BY_ID, FIRST_FROM, LAST];

const BY_INTEGRATION: &str = "order_stages indexed by order_stages_by_integration";
const BY_ORDER: &str = "order_stages indexed by order_stages_by_order";
const TIMELINE: Timeline = Timeline {
    first_from: FIRST_FROM,
    last: LAST,
};

/// A stage.
pub(crate) fn of_id(connection: &Connection, id: i64) -> Result<Option<OrderStage>, Fault> {
    one(connection, BY_ID, [id], read)
}

#[async_trait]
impl OrderStages for SqliteStore {
    async fn accept(
        &self,
        stages: Vec<NewOrderStage>,
    ) -> Vec<Result<Created<AcceptedStage>, Rejection>> {
        accept(self, stages).await
    }

    async fn order_stages(&self, query: StageQuery) -> Result<Page<OrderStage>, StoreError> {
        self.read(move |connection| plan(connection, &query)?.page(connection, &query.list, of_id))
            .await
    }

    async fn order_stage(
        &self,
        integration_id: IntegrationId,
        id: OrderStageId,
    ) -> Result<Option<StageDetail>, StoreError> {
        self.read(move |connection| match_trace::stage_detail(connection, integration_id, id))
            .await
    }

    async fn explain(
        &self,
        integration_id: IntegrationId,
        explanation: Explanation,
    ) -> Result<Vec<Traced>, StoreError> {
        self.read(move |connection| match_trace::explain(connection, integration_id, &explanation))
            .await
    }
}

/// Orders lead straight to their stages; everything else is looked at along the way.
pub(crate) fn plan(connection: &Connection, query: &StageQuery) -> Result<ListPlan, Fault> {
    let integration = [query.integration_id.0.into()];
    let mut conditions = vec![Condition::new("integration_id = ?", integration)];
    if !query.stages.is_empty() {
        conditions.push(Condition::among("stage", &query.stages)?);
    }
    if !query.event_slugs.is_empty() {
        conditions.push(Condition::among("event_slug", &query.event_slugs)?);
    }
    let branches = if query.order_ids.is_empty() {
        vec![Branch::new(BY_INTEGRATION, Condition::new("true", []))]
    } else {
        Branch::each(
            BY_ORDER,
            "order_id = ?",
            query.order_ids.iter().map(|id| id.0),
        )
    };
    ListPlan::new(branches, conditions).created(
        connection,
        TIMELINE,
        query.created_from,
        query.created_until,
    )
}

fn read(row: &Row<'_>) -> Result<OrderStage, Fault> {
    Ok(OrderStage {
        id: OrderStageId(row.get("id")?),
        integration_id: IntegrationId(row.get("integration_id")?),
        order_id: OrderId(row.get("order_id")?),
        sequence: row.get("sequence")?,
        stage: row.get("stage")?,
        event_slug: row.get("event_slug")?,
        update_status: row.get("update_status")?,
        stage_at: moment(row, "stage_at")?,
        created_at: moment(row, "created_at")?,
    })
}
