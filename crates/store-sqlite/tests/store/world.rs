//! A store on a throw-away folder, and short ways to act.

use std::sync::Arc;
use std::time::Duration;

use domain::health::LaneRecord;
use domain::id::{IntegrationId, WebhookJobId, WebhookOutSubId};
use domain::order::{AcceptedStage, OrderChanges};
use domain::records::Actor;
use domain::signature::SigningSecret;
use domain::time::Moment;
use domain::webhook_job::{AttemptOutcome, AttemptTiming, WebhookAttempt};
use domain::webhook_out_sub::{Ordering, Version};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{
    Change, Fence, Integrations, Lanes, NewIntegration, NewOrderStage, NewWebhookOutSub, NextStep,
    NoLanes, OrderRef, OrderStages, Outcome, Rejection, SecretKey, WebhookOutSubs,
};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

/// When everything begins.
pub const START: Moment = Moment::from_microseconds(1_800_000_000_000_000);

pub struct World {
    pub store: SqliteStore,
    pub integration: IntegrationId,
    pub folder: TempDir,
}

pub fn open(folder: &TempDir) -> SqliteStore {
    let key = SecretKey::from_bytes([7; 32]);
    SqliteStore::open(folder.path(), key, StdRng::seed_from_u64(1), START).expect("a store")
}

pub fn change() -> Change {
    Change {
        actor: Actor::CommandLine,
        at: START,
        request_id: None,
    }
}

pub fn after(seconds: u64) -> Moment {
    START + Duration::from_secs(seconds)
}

impl World {
    pub async fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let store = open(&folder);
        store
            .own_lanes(Arc::new(NoLanes), START)
            .await
            .expect("lanes");
        let new = NewIntegration {
            key: "acme".to_owned(),
            name: "Acme".to_owned(),
            retention_days: None,
            idempotency: None,
        };
        let integration = store.create_integration(new, change()).await.expect("made");
        World {
            store,
            integration: integration.record.id,
            folder,
        }
    }

    pub async fn subscribe(&self, key: &str, ordering: Ordering) -> WebhookOutSubId {
        let new = NewWebhookOutSub {
            integration_id: self.integration,
            key: key.to_owned(),
            name: key.to_owned(),
            callback_url: domain::destination::CallbackUrl::parse("https://example.com/hook")
                .expect("a URL"),
            statuses: vec!["*".to_owned()],
            events: Vec::new(),
            notification_emails: None,
            success_code: None,
            payload_render_view: None,
            active: true,
            notify: false,
            version: Version::V3,
            ordering,
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
        };
        let made = self.store.create_webhook_out_sub(new, change()).await;
        made.expect("made").record.sub.id
    }

    pub fn stage(&self, order: &str, stage: &str) -> NewOrderStage {
        NewOrderStage {
            integration_id: self.integration,
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

    pub async fn report(&self, order: &str, stage: &str) -> AcceptedStage {
        let accepted = self.try_accept(self.stage(order, stage)).await;
        accepted.expect("accepted")
    }

    pub async fn try_accept(&self, stage: NewOrderStage) -> Result<AcceptedStage, Rejection> {
        let mut receipts = self.store.accept(vec![stage]).await;
        receipts.remove(0).map(|created| created.record)
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
        self.store
            .record(Arc::new([outcome(sub, job, number, next, lane)]))
            .await
            .expect("recorded");
    }
}

pub fn outcome(
    sub: WebhookOutSubId,
    job: WebhookJobId,
    number: u32,
    next: NextStep,
    lane: Option<LaneRecord>,
) -> Outcome {
    Outcome {
        job_id: job,
        webhook_out_sub_id: sub,
        fence: Fence(0),
        attempt: attempt(number, next == NextStep::Delivered),
        next,
        job_faults: 0,
        first_attempt_clock: 0,
        lane,
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
