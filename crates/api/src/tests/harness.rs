//! An API over a store in a folder of its own.

use std::sync::Arc;

use app::{App, Underway};
use axum::body::Body;
use domain::destination::EgressPolicy;
use domain::id::{IntegrationId, WebhookJobId};
use domain::records::Actor;
use domain::time::Clock;
use domain::token::Token;
use http::{Request, Response, header};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use store::{Applications, Change, NewApplication, SecretKey, Store};
use store_sqlite::SqliteStore;
use testkit::ManualClock;

use crate::api::{Api, Settings};
use crate::endpoint::Endpoint;
use crate::routes::ENDPOINTS;

struct Nothing;

impl Underway for Nothing {
    fn delivering(&self) -> Vec<WebhookJobId> {
        Vec::new()
    }
}

pub(super) struct Fixture {
    pub(super) api: Api,
    pub(super) store: Arc<SqliteStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) token: String,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(super) async fn new() -> Fixture {
        Fixture::with(ENDPOINTS).await
    }

    pub(super) async fn with(endpoints: &'static [Endpoint]) -> Fixture {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let key = SecretKey::from_bytes([7; 32]);
        let chance = StdRng::from_seed([1; 32]);
        let store = SqliteStore::open(folder.path(), key, chance, clock.now()).expect("a store");
        let store = Arc::new(store);
        let app = App::new(store.clone(), clock.clone(), Arc::new(Nothing));
        let settings = Settings {
            egress: EgressPolicy::default(),
            lookup: None,
        };
        let mut fixture = Fixture {
            api: Api::with(Arc::new(app), settings, endpoints),
            store,
            clock,
            token: String::new(),
            _folder: folder,
        };
        fixture.token = fixture.application("test", None).await;
        fixture
    }

    /// The token of a new application.
    pub(super) async fn application(&self, slug: &str, only: Option<i64>) -> String {
        let token = Token::of_application([u8::try_from(slug.len()).expect("short"); 32]);
        let new = NewApplication {
            slug: slug.to_owned(),
            integration_id: only.map(IntegrationId),
            token: token.hash(),
        };
        let made = self.store.create_application(new, self.change()).await;
        made.expect("a new slug");
        token.text().to_owned()
    }

    pub(super) fn change(&self) -> Change {
        Change {
            actor: Actor::CommandLine,
            at: self.clock.now(),
            request_id: None,
        }
    }

    /// Answers a request with the token, unless the parameters have one.
    pub(super) async fn call(&self, action: &str, mut parameters: Value) -> (u16, Value) {
        if parameters.get("token").is_none() {
            parameters["token"] = json!(self.token);
        }
        let method = if action.ends_with("/update") {
            "PUT"
        } else {
            "POST"
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/{action}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(parameters.to_string()))
            .expect("a request");
        let answer = self.api.answer(request).await;
        (answer.status().as_u16(), body(&answer))
    }

    /// The data of a request that succeeds.
    pub(super) async fn data(&self, action: &str, parameters: Value) -> Value {
        let (_, answer) = self.call(action, parameters).await;
        assert_eq!(answer["status"], "action-successful", "{answer}");
        answer["data"].clone()
    }

    /// The id of a new integration.
    pub(super) async fn integration(&self, key: &str) -> i64 {
        let made = self.data("integrations/create", json!({ "key": key, "name": key }));
        made.await["id"].as_i64().expect("an id")
    }

    pub(super) async fn close(self) {
        self.store.close().await;
    }
}

pub(super) fn body(answer: &Response<bytes::Bytes>) -> Value {
    serde_json::from_slice(answer.body()).expect("JSON")
}

/// The places that an answer names.
pub(super) fn attrs(answer: &Value) -> Vec<&str> {
    let errors = answer["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors
        .iter()
        .filter_map(|error| error["attr"].as_str())
        .collect()
}
