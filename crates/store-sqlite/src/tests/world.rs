//! A store on a throw-away folder, and short ways to act on it.

use std::sync::Arc;
use std::time::Duration;

use domain::destination::CallbackUrl;
use domain::id::IntegrationId;
use domain::order::{AcceptedStage, OrderChanges};
use domain::records::Actor;
use domain::signature::SigningSecret;
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{
    Change, Integrations, Lanes, ListQuery, NewIntegration, NewOrderStage, NewWebhookOutSub,
    NoLanes, OrderRef, OrderStages, PageRequest, SecretKey, Sort, Start, WebhookOutSubs,
    WithSecret,
};
use tempfile::TempDir;

use crate::SqliteStore;

/// When everything begins.
pub(super) const START: Moment = Moment::from_microseconds(1_800_000_000_000_000);

pub(super) struct World {
    pub(super) store: SqliteStore,
    pub(super) integration: IntegrationId,
    _folder: TempDir,
}

impl World {
    pub(super) async fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let key = SecretKey::from_bytes([7; 32]);
        let chance = StdRng::seed_from_u64(1);
        let store = SqliteStore::open(folder.path(), key, chance, START).expect("a store");
        store
            .own_lanes(Arc::new(NoLanes), START)
            .await
            .expect("lanes");
        let mut world = World {
            store,
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

    /// What a statement without parameters counts.
    pub(super) async fn count(&self, sql: &'static str) -> i64 {
        let counted = self
            .store
            .read(move |connection| Ok(connection.query_row(sql, [], |row| row.get(0))?));
        counted.await.expect("a count")
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
