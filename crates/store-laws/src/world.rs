//! A store that was just made, and short ways to act on it.

use std::time::Duration;

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::records::Actor;
use domain::time::Moment;
use store::{
    Change, Integrations, ListQuery, NewIntegration, PageRequest, Refusal, Rejection, Search, Sort,
    Start,
};

/// When everything begins.
pub const START: Moment = Moment::from_microseconds(1_800_000_000_000_000);

/// The tables themselves, for what no method shows or makes. Statements are in the words that all engines understand.
#[async_trait]
pub trait Raw: Send + Sync {
    /// What a statement counts.
    async fn count(&self, sql: &str) -> i64;

    /// Changes rows.
    async fn execute(&self, sql: &str);
}

/// A store with one integration.
pub struct World<S> {
    pub store: S,
    pub raw: Box<dyn Raw>,
    pub integration: IntegrationId,
}

impl<S: Integrations> World<S> {
    /// Of a store that has nothing yet.
    pub async fn new(store: S, raw: impl Raw + 'static) -> World<S> {
        let mut world = World {
            store,
            raw: Box::new(raw),
            integration: IntegrationId(0),
        };
        world.integration = world.integrate("acme").await;
        world
    }

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
