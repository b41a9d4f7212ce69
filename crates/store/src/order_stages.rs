//! Order stages: the changes that are accepted, each with its jobs.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId, OrderStageId, WebhookOutSubId};
use domain::match_trace::Traced;
use domain::order::{AcceptedStage, Order, OrderChanges, OrderStage};
use domain::payload::{Sample, StageFacts};
use domain::time::Moment;

use crate::change::{Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// Which order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderRef {
    /// By our id.
    Id(OrderId),
    /// By the order system's id.
    External(String),
}

/// A change to be accepted.
#[derive(Clone, Debug)]
pub struct NewOrderStage {
    /// Whose.
    pub integration_id: IntegrationId,
    /// The order that changed.
    pub order: OrderRef,
    /// Whether an unknown [`OrderRef::External`] makes the order, with this as its first stage.
    pub create_order: bool,
    /// The order status that is reported.
    pub stage: String,
    /// The event that is reported.
    pub event_slug: Option<String>,
    /// Whether the order takes the status; if not, only the event can match.
    pub update_status: bool,
    /// When it happened; absent means `at`.
    pub stage_at: Option<Moment>,
    /// What else changes on the order, before the payload is rendered.
    pub changes: OrderChanges,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
    /// When it was accepted, by the caller's clock.
    pub at: Moment,
}

/// Which stages.
#[derive(Clone, Debug)]
pub struct StageQuery {
    /// Whose.
    pub integration_id: IntegrationId,
    /// Only those of these orders; empty means all.
    pub order_ids: Vec<OrderId>,
    /// Only these order statuses; empty means all.
    pub stages: Vec<String>,
    /// Only these events; empty means all.
    pub event_slugs: Vec<String>,
    /// Only those accepted at or after this moment.
    pub created_from: Option<Moment>,
    /// Only those accepted before this moment.
    pub created_until: Option<Moment>,
    /// Not searched; sorted by `id`, which is the order of commits.
    pub list: ListQuery,
}

/// A stage with what it met.
#[derive(Clone, Debug)]
pub struct StageDetail {
    /// The stage.
    pub stage: OrderStage,
    /// What it met in each subscription of its integration, by id; none where it was accepted before that was kept.
    pub match_trace: Option<Vec<Traced>>,
}

/// A change that might be.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Only this subscription.
    pub sub: Option<WebhookOutSubId>,
    /// The order that would change, as it is now; none for a sample order.
    pub order: Option<Order>,
    /// The order status that would be reported.
    pub stage: String,
    /// The event that would be reported.
    pub event_slug: Option<String>,
    /// Whether the order would take the status.
    pub update_status: bool,
    /// The sample order, made now.
    pub sample: Sample,
    /// Now.
    pub at: Moment,
}

impl Explanation {
    /// What filters could tell of the change.
    pub fn facts(&self, integration_id: IntegrationId) -> StageFacts<'_> {
        let sample = self.sample.facts();
        let facts = StageFacts {
            integration_id,
            stage: &self.stage,
            event_slug: self.event_slug.as_deref(),
            order_status: &self.stage,
            ..sample
        };
        let Some(order) = &self.order else {
            return facts;
        };
        StageFacts {
            order_id: order.id,
            external_order_id: order.external_order_id.as_deref(),
            sequence: order.sequence + 1,
            order_status: if self.update_status {
                &self.stage
            } else {
                &order.status
            },
            order_created_at: order.created_at,
            stage_at: self.at,
            accepted_at: self.at,
            fields: &order.fields,
            ..facts
        }
    }
}

/// Order stages.
#[async_trait]
pub trait OrderStages {
    /// Accepts changes: each is stored with its order and all its jobs in one transaction, committed
    /// together with its neighbours, and durable when this returns. The results stand in the order of
    /// the changes; one that is refused does not touch the others.
    ///
    /// Long lists are committed in pieces of at most 100 stages or 1,000 jobs.
    async fn accept(
        &self,
        stages: Vec<NewOrderStage>,
    ) -> Vec<Result<Created<AcceptedStage>, Rejection>>;

    /// Stages of an integration.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn order_stages(&self, query: StageQuery) -> Result<Page<OrderStage>, StoreError>;

    /// A stage with its match trace.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn order_stage(
        &self,
        integration_id: IntegrationId,
        id: OrderStageId,
    ) -> Result<Option<StageDetail>, StoreError>;

    /// What a change would meet in the subscriptions of an integration as they are now; nothing is changed.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn explain(
        &self,
        integration_id: IntegrationId,
        explanation: Explanation,
    ) -> Result<Vec<Traced>, StoreError>;
}
