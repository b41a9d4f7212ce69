//! An engine with all that it needs around it.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Engine, Settings};
use domain::destination::EgressPolicy;
use domain::health::LaneRecord;
use domain::id::{IntegrationId, WebhookOutSubId};
use domain::retry::RetryPolicy;
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use egress::{Client, ClientConfig, Resolver};
use http::HeaderValue;

use crate::clock::{BEGIN, ManualTimer};
use crate::model::Model;
use crate::receiver::Receiver;

/// Far longer than anything here takes: it only ends a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The seed of each engine's jitter; printed by what fails, as every constant is.
const SEED: u64 = 20_260_131;

pub struct Stage {
    pub timer: Arc<ManualTimer>,
    pub store: Arc<Model>,
    pub receiver: Receiver,
    pub engine: Arc<Engine>,
}

/// The path that a lane's jobs are sent to.
pub fn path(lane: i64) -> String {
    format!("/{lane}")
}

pub fn settings() -> Settings {
    Settings {
        retry: RetryPolicy::default(),
        attempt_timeout: PATIENCE,
        in_flight_max: 1_000,
        user_agent: HeaderValue::from_static("Postrider/test"),
        seed: SEED,
    }
}

fn sub(receiver: &Receiver, lane: i64) -> WebhookOutSub {
    WebhookOutSub {
        id: WebhookOutSubId(lane),
        integration_id: IntegrationId(1),
        key: lane.to_string(),
        name: lane.to_string(),
        callback_url: receiver.url(&path(lane)),
        statuses: Vec::new(),
        events: Vec::new(),
        notification_emails: None,
        success_code: None,
        payload_render_view: None,
        active: true,
        notify: false,
        version: Version::V2,
        ordering: Ordering::None,
        timeout_seconds: None,
        max_in_flight: None,
        supersede: false,
        headers: Vec::new(),
        retry_policy: None,
        rate_limit: None,
        filter: None,
        asymmetric_signature: false,
        public_key: None,
        catching_up: false,
        health: LaneRecord::default(),
        created_at: BEGIN,
        updated_at: BEGIN,
    }
}

impl Stage {
    /// An engine over lanes 1 to `lanes`.
    pub async fn new(lanes: i64) -> Stage {
        Stage::with(lanes, settings(), |_, _| ()).await
    }

    /// The same; `prepare` sees the receiver and the store before the engine starts.
    pub async fn with(
        lanes: i64,
        settings: Settings,
        prepare: impl FnOnce(&Receiver, &Model),
    ) -> Stage {
        let receiver = Receiver::start().await;
        let timer = Arc::new(ManualTimer::new());
        let subs = (1..=lanes).map(|lane| sub(&receiver, lane)).collect();
        let store = Model::new(timer.clone(), subs);
        prepare(&receiver, &store);
        let policy = EgressPolicy::parse_allow("127.0.0.0/8").expect("is a network");
        let config = ClientConfig {
            policy,
            resolver: Resolver::scripted(|name| panic!("looks up {name}")),
            ..ClientConfig::default()
        };
        let client = Client::new(config).expect("the defaults are good");
        let engine = Engine::start(store.clone(), client, timer.clone(), settings)
            .await
            .expect("the model can be read");
        Stage {
            timer,
            store,
            receiver,
            engine,
        }
    }

    /// Waits until so many outcomes are recorded.
    pub async fn recorded(&self, count: usize) {
        until("outcomes are recorded", || {
            self.store.outcome_count() >= count
        })
        .await;
    }

    /// Waits until the engine has nothing left to do at this moment of the clock.
    pub async fn settle(&self) {
        let mut calm = 0;
        let mut seen = None;
        let wait = async {
            // Calm is when nothing changes over many turns of the scheduler.
            while calm < 200 {
                tokio::task::yield_now().await;
                let now = (
                    self.engine.stats(),
                    self.store.outcome_count(),
                    self.store.claims(),
                    self.receiver.arrived().len(),
                );
                let is_calm = now.0.in_flight == 0 && now.0.unrecorded == 0;
                calm = if is_calm && seen == Some(now) {
                    calm + 1
                } else {
                    0
                };
                seen = Some(now);
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or_else(|_| panic!("never calm: {:?}", self.engine.stats()));
    }
}

/// Waits until something becomes true.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
