//! A store that was just made, and short ways to act on it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::destination::CallbackUrl;
use domain::health::LaneRecord;
use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::order::{AcceptedStage, OrderChanges};
use domain::records::Actor;
use domain::signature::SigningSecret;
use domain::time::Moment;
use domain::webhook_job::{AttemptOutcome, AttemptTiming, WebhookAttempt};
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use store::{
    AuditQuery, Change, Integrations, Lanes, ListQuery, NewIntegration, NewOrderStage,
    NewWebhookOutSub, NextStep, OrderRef, Outcome, PageRequest, Refusal, Rejection, Search, Sort,
    Start, Store,
};

use crate::told::{Event, Told};

/// When everything begins.
pub const START: Moment = Moment::from_microseconds(1_800_000_000_000_000);

/// The tables themselves, for what no method shows or makes. Statements are in the words that all engines understand.
#[async_trait]
pub trait Raw: Send + Sync {
    /// What a statement counts.
    async fn count(&self, sql: &str) -> i64;

    /// Changes rows.
    async fn execute(&self, sql: &str);

    /// The table of the jobs that wait.
    fn waiting_jobs(&self) -> &'static str {
        "webhook_jobs"
    }
}

/// A whole store.
pub trait Working: Store {}

impl<S: Store> Working for S {}

/// A store with one integration, and an owner of its lanes.
pub struct World<S> {
    pub store: S,
    pub raw: Box<dyn Raw>,
    pub told: Arc<Told>,
    pub integration: IntegrationId,
}

impl<S: Integrations + Lanes> World<S> {
    /// Of a store that has nothing yet.
    pub async fn new(store: S, raw: impl Raw + 'static) -> World<S> {
        let told = Arc::new(Told::default());
        store.own_lanes(told.clone(), START).await.expect("lanes");
        let mut world = World {
            store,
            raw: Box::new(raw),
            told,
            integration: IntegrationId(0),
        };
        world.integration = world.integrate("acme").await;
        world
    }
}

impl<S: Integrations> World<S> {
    /// Makes an integration.
    pub async fn integrate(&self, key: &str) -> IntegrationId {
        let new = NewIntegration {
            key: key.to_owned(),
            name: key.to_uppercase(),
            retention_days: None,
            idempotency: None,
        };
        let made = self.store.create_integration(new, change(0)).await;
        made.expect("made").record.id
    }
}

impl<S: Working> World<S> {
    /// A subscription to all statuses.
    pub fn sub(&self, key: &str) -> NewWebhookOutSub {
        new_sub(self.integration, key)
    }

    pub async fn subscribe(&self, new: NewWebhookOutSub) -> WebhookOutSub {
        let made = self.store.create_webhook_out_sub(new, change(0)).await;
        made.expect("made").record.sub
    }

    /// Subscribes to all statuses in an ordering.
    pub async fn sub_in(&self, key: &str, ordering: Ordering) -> WebhookOutSubId {
        let new = NewWebhookOutSub {
            ordering,
            ..self.sub(key)
        };
        self.subscribe(new).await.id
    }

    pub fn stage(&self, order: &str, stage: &str) -> NewOrderStage {
        new_stage(self.integration, order, stage)
    }

    pub async fn report(&self, order: &str, stage: &str) -> AcceptedStage {
        let accepted = self.try_accept(self.stage(order, stage)).await;
        accepted.expect("accepted")
    }

    pub async fn try_accept(&self, stage: NewOrderStage) -> Result<AcceptedStage, Rejection> {
        let mut receipts = self.store.accept(vec![stage]).await;
        receipts.remove(0).map(|created| created.record)
    }

    /// Reports a stage, and returns its only job and the order.
    pub async fn job(&self, order: &str, stage: &str) -> (WebhookJobId, OrderId) {
        let accepted = self.report(order, stage).await;
        (accepted.webhook_jobs[0].id, accepted.order_id)
    }

    /// The jobs that were told to be ready since anything was last asked.
    pub fn ready(&self) -> Vec<WebhookJobId> {
        let told = self.told.take().into_iter();
        let ready = told.filter_map(|event| match event {
            Event::Ready(job) => Some(job),
            _ => None,
        });
        ready.collect()
    }

    pub async fn record(
        &self,
        sub: WebhookOutSubId,
        job: WebhookJobId,
        number: u32,
        next: NextStep,
    ) {
        self.record_with(sub, job, number, next, None).await;
    }

    pub async fn record_with(
        &self,
        sub: WebhookOutSubId,
        job: WebhookJobId,
        number: u32,
        next: NextStep,
        lane: Option<LaneRecord>,
    ) {
        let outcome = self.outcome(sub, job, number, next, lane);
        let recorded = self.store.record(Arc::new([outcome])).await;
        recorded.expect("recorded");
    }

    /// The outcome of an attempt by the lane's owner.
    pub fn outcome(
        &self,
        sub: WebhookOutSubId,
        job: WebhookJobId,
        number: u32,
        next: NextStep,
        lane: Option<LaneRecord>,
    ) -> Outcome {
        Outcome {
            job_id: job,
            webhook_out_sub_id: sub,
            fence: self.told.fence(sub),
            attempt: attempt(number, next == NextStep::Delivered),
            next,
            job_faults: 0,
            first_attempt_clock: 0,
            lane,
        }
    }

    /// What was done to records of a kind, the first first.
    pub async fn audited(&self, noun: &str) -> Vec<String> {
        let query = AuditQuery {
            integration_id: None,
            nouns: vec![noun.to_owned()],
            record_ids: Vec::new(),
            actions: Vec::new(),
            list: list(200),
        };
        let page = self.store.audit_events(query).await.expect("a trail");
        page.items.into_iter().map(|event| event.action).collect()
    }
}

fn attempt(number: u32, is_delivered: bool) -> WebhookAttempt {
    WebhookAttempt {
        number,
        started_at: START,
        callback_url: "https://example.com/hook".to_owned(),
        outcome: if is_delivered {
            AttemptOutcome::Delivered
        } else {
            AttemptOutcome::EndpointFault
        },
        status_code: Some(if is_delivered { 200 } else { 500 }),
        fault: None,
        message: None,
        address: None,
        timing: AttemptTiming::default(),
        answer_headers: Vec::new(),
        answer_body: None,
        answer_body_truncated: false,
    }
}

/// A subscription of an integration to all statuses.
pub fn new_sub(integration_id: IntegrationId, key: &str) -> NewWebhookOutSub {
    NewWebhookOutSub {
        integration_id,
        key: key.to_owned(),
        name: format!("Name of {key}"),
        callback_url: CallbackUrl::parse(&format!("https://{key}.example.com/hook"))
            .expect("a URL"),
        statuses: vec!["*".to_owned()],
        events: Vec::new(),
        notification_emails: None,
        success_code: None,
        payload_render_view: None,
        active: true,
        notify: false,
        version: Version::V3,
        ordering: Ordering::Order,
        timeout_seconds: None,
        max_in_flight: None,
        supersede: false,
        headers: Vec::new(),
        retry_policy: None,
        rate_limit: None,
        filter: None,
        signing_key: None,
        signing_secret: SigningSecret::from_bytes(&[3; 32]).expect("a secret"),
        idempotency: None,
    }
}

/// A stage of an order, which is made if there is none.
pub fn new_stage(integration_id: IntegrationId, order: &str, stage: &str) -> NewOrderStage {
    NewOrderStage {
        integration_id,
        order: OrderRef::External(order.to_owned()),
        create_order: true,
        stage: stage.to_owned(),
        event_slug: None,
        update_status: true,
        stage_at: None,
        changes: OrderChanges::default(),
        idempotency: None,
        at: START,
    }
}

/// A change so many seconds after the beginning.
pub fn change(seconds: u64) -> Change {
    Change {
        actor: Actor::CommandLine,
        at: after(seconds),
        request_id: Some("request-1".to_owned()),
    }
}

/// So many seconds after the beginning.
pub fn after(seconds: u64) -> Moment {
    START + Duration::from_secs(seconds)
}

/// The first page of a list, by id, the oldest first.
pub fn list(size: u32) -> ListQuery {
    ListQuery {
        search: None,
        sort: Sort {
            by: "id",
            descending: false,
        },
        page: PageRequest {
            size,
            start: Start::Offset(0),
        },
        count: true,
    }
}

/// The first page of a list in this order.
pub fn sorted(by: &'static str, descending: bool, size: u32) -> ListQuery {
    ListQuery {
        sort: Sort { by, descending },
        ..list(size)
    }
}

/// The first page of what a search finds.
pub fn searched(term: &str, attributes: &[&'static str]) -> ListQuery {
    ListQuery {
        search: Some(Search {
            term: term.to_owned(),
            attributes: attributes.to_vec(),
        }),
        ..list(50)
    }
}

/// What was refused, by parameter.
pub fn refused<T>(result: Result<T, Rejection>) -> Vec<String> {
    match result {
        Err(Rejection::Refused(refusals)) => refusals
            .into_iter()
            .map(|Refusal { attr, .. }| attr)
            .collect(),
        Err(Rejection::Store(error)) => panic!("not refused: {error}"),
        Ok(_) => panic!("not refused"),
    }
}
