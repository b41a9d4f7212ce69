//! A store on a throw-away folder, with an owner of lanes that notes what it is told.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::destination::CallbackUrl;
use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::order::{AcceptedStage, OrderChanges};
use domain::records::Actor;
use domain::signature::SigningSecret;
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{
    Change, Integrations, Lane, LaneOwner, Lanes, ListQuery, NewIntegration, NewOrderStage,
    NewWebhookOutSub, OrderRef, OrderStages, PageRequest, ReadyJob, Refusal, Rejection, SecretKey,
    Sort, Start, WebhookOutSubs, WithSecret, Withdrawal,
};
use tempfile::TempDir;

use crate::SqliteStore;

/// When everything begins.
pub(super) const START: Moment = Moment::from_microseconds(1_800_000_000_000_000);

pub(super) struct World {
    pub(super) store: SqliteStore,
    pub(super) told: Arc<Told>,
    pub(super) integration: IntegrationId,
    _folder: TempDir,
}

/// What the owner of the lanes was told, in order.
#[derive(Default)]
pub(super) struct Told {
    events: Mutex<Vec<Event>>,
    /// Jobs that are in flight when they are asked back.
    in_flight: Mutex<Vec<WebhookJobId>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    Ready(WebhookJobId),
    Changed(WebhookOutSubId),
    Closed(WebhookOutSubId),
}

impl Told {
    /// What was told since this was last asked.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn fly(&self, job: WebhookJobId) {
        self.in_flight.lock().expect("no panic").push(job);
    }

    fn note(&self, event: Event) {
        self.events.lock().expect("no panic").push(event);
    }
}

impl LaneOwner for Told {
    fn ready(&self, jobs: Vec<ReadyJob>) {
        for job in jobs {
            self.note(Event::Ready(job.id));
        }
    }

    fn changed(&self, lane: Lane) {
        self.note(Event::Changed(lane.sub.id));
    }

    fn closed(&self, id: WebhookOutSubId) {
        self.note(Event::Closed(id));
    }

    fn withdraw(&self, _lane: WebhookOutSubId, job: WebhookJobId) -> Withdrawal {
        if self.in_flight.lock().expect("no panic").contains(&job) {
            Withdrawal::InFlight
        } else {
            Withdrawal::Withdrawn
        }
    }
}

impl World {
    pub(super) async fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let key = SecretKey::from_bytes([7; 32]);
        let chance = StdRng::seed_from_u64(1);
        let store = SqliteStore::open(folder.path(), key, chance, START).expect("a store");
        let told = Arc::new(Told::default());
        store.own_lanes(told.clone(), START).await.expect("lanes");
        let mut world = World {
            store,
            told,
            integration: IntegrationId(0),
            _folder: folder,
        };
        world.integration = world.integrate("acme").await;
        world
    }

    pub(super) async fn integrate(&self, key: &str) -> IntegrationId {
        let new = NewIntegration {
            key: key.to_owned(),
            name: key.to_uppercase(),
            retention_days: None,
            idempotency: None,
        };
        let made = self.store.create_integration(new, change(0)).await;
        made.expect("made").record.id
    }

    /// A subscription to all statuses.
    pub(super) fn sub(&self, key: &str) -> NewWebhookOutSub {
        new_sub(self.integration, key)
    }

    pub(super) async fn subscribe(&self, new: NewWebhookOutSub) -> WebhookOutSub {
        let made = self.store.create_webhook_out_sub(new, change(0)).await;
        let WithSecret { sub, .. } = made.expect("made").record;
        sub
    }

    pub(super) async fn report(&self, order: &str, stage: &str) -> AcceptedStage {
        let stage = new_stage(self.integration, order, stage);
        let accepted = self.store.accept(vec![stage]).await.remove(0);
        accepted.expect("accepted").record
    }

    /// Reports a stage, and returns its only job and the order.
    pub(super) async fn job(&self, order: &str, stage: &str) -> (WebhookJobId, OrderId) {
        let accepted = self.report(order, stage).await;
        (accepted.webhook_jobs[0].id, accepted.order_id)
    }

    /// What a statement without parameters counts.
    pub(super) async fn count(&self, sql: &'static str) -> i64 {
        let counted = self
            .store
            .read(move |connection| Ok(connection.query_row(sql, [], |row| row.get(0))?));
        counted.await.expect("a count")
    }

    pub(super) async fn audited(&self) -> Vec<(String, i64, String)> {
        let sql = "select noun, record_id, action from audit_events order by id";
        let read = self.store.read(move |connection| {
            crate::list_query::all(connection, sql, [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
        });
        read.await.expect("a trail")
    }
}

pub(super) fn new_sub(integration_id: IntegrationId, key: &str) -> NewWebhookOutSub {
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

pub(super) fn new_stage(integration_id: IntegrationId, order: &str, stage: &str) -> NewOrderStage {
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
pub(super) fn change(seconds: u64) -> Change {
    Change {
        actor: Actor::CommandLine,
        at: after(seconds),
        request_id: Some("request-1".to_owned()),
    }
}

pub(super) fn after(seconds: u64) -> Moment {
    START + Duration::from_secs(seconds)
}

/// The first page of a list, by id, the oldest first.
pub(super) fn list(size: u32) -> ListQuery {
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

/// What was refused, by parameter.
pub(super) fn refused<T>(result: Result<T, Rejection>) -> Vec<String> {
    match result {
        Err(Rejection::Refused(refusals)) => refusals
            .into_iter()
            .map(|Refusal { attr, .. }| attr)
            .collect(),
        Err(Rejection::Store(error)) => panic!("not refused: {error}"),
        Ok(_) => panic!("not refused"),
    }
}
