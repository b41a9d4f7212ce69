//! An API over a store in a folder of its own.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use app::{App, MailFailed, Mailer, Underway};
use async_trait::async_trait;
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::destination::EgressPolicy;
use domain::id::{IntegrationId, WebhookJobId};
use domain::letter::Letter;
use domain::portal_link::PortalKey;
use domain::records::Actor;
use domain::time::Clock;
use domain::token::Token;
use domain::user::Role;
use http::{Request, Response, header};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use store::{Applications, Change, NewApplication, NewUser, SecretKey, Sessions, Store, Users};
use store_sqlite::SqliteStore;
use testkit::ManualClock;

use crate::api::{Api, Settings};
use crate::endpoint::Endpoint;
use crate::endpoints::ENDPOINTS;

struct Nothing;

impl Underway for Nothing {
    fn delivering(&self) -> Vec<WebhookJobId> {
        Vec::new()
    }
}

/// Takes mails, unless it is broken.
#[derive(Default)]
pub(super) struct Mailbox {
    letters: Mutex<Vec<Letter>>,
    is_broken: AtomicBool,
}

impl Mailbox {
    /// What came since this was last asked.
    pub(super) fn take(&self) -> Vec<Letter> {
        std::mem::take(&mut *self.letters.lock().expect("no panic"))
    }

    pub(super) fn break_down(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::Relaxed);
    }
}

#[async_trait]
impl Mailer for Mailbox {
    async fn send(&self, letters: Vec<Letter>) -> Result<(), MailFailed> {
        if self.is_broken.load(Ordering::Relaxed) {
            return Err(MailFailed("the server is down".to_owned()));
        }
        self.letters.lock().expect("no panic").extend(letters);
        Ok(())
    }
}

/// Stands for the page that a server answers.
fn no_page() -> Response<bytes::Bytes> {
    let mut answer = Response::new(bytes::Bytes::from_static(b"no such page"));
    *answer.status_mut() = http::StatusCode::NOT_FOUND;
    let html = http::HeaderValue::from_static("text/html; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, html);
    answer
}

pub(super) struct Fixture {
    pub(super) api: Api,
    pub(super) store: Arc<SqliteStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) token: String,
    people: AtomicU64,
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
        let mailbox = Arc::new(Mailbox::default());
        let app = App::new(
            store.clone(),
            clock.clone(),
            Arc::new(Nothing),
            mailbox.clone(),
            PortalKey::from_bytes([9; 32]),
        );
        let settings = Settings {
            egress: EgressPolicy::default(),
            lookup: None,
            trusted_proxies: Vec::new(),
            page_not_found: no_page,
            public_url: "https://p.example.com".to_owned(),
            registration_url: "https://example.com/register".to_owned(),
        };
        let api = Api::with(Arc::new(app), settings, endpoints);
        api.declare_routes().await.expect("declared");
        let mut fixture = Fixture {
            api,
            store,
            clock,
            mailbox,
            token: String::new(),
            people: AtomicU64::new(0),
            _folder: folder,
        };
        fixture.token = fixture.application("test", None).await;
        fixture
    }

    /// The token of a new application.
    pub(super) async fn application(&self, slug: &str, only: Option<i64>) -> String {
        let token = Token::of_application(Sha256::digest(slug).into());
        let new = NewApplication {
            slug: slug.to_owned(),
            integration_id: only.map(IntegrationId),
            token: token.clone(),
            idempotency: None,
        };
        let made = self.store.create_application(new, self.change()).await;
        made.expect("a new slug");
        token.text().to_owned()
    }

    /// The token of a link into the portal.
    pub(super) async fn portal_link(&self, integration: i64, seconds: i64) -> String {
        let asked =
            json!({ "id": integration, "subject": "Bob of Acme", "expires_in_seconds": seconds });
        let made = self.data("integrations/portal_link", asked).await;
        made["token"].as_str().expect("a token").to_owned()
    }

    pub(super) fn change(&self) -> Change {
        Change {
            actor: Actor::CommandLine,
            at: self.clock.now(),
            request_id: None,
        }
    }

    /// The session token of a new user with these roles, scoped to these integrations.
    pub(super) async fn person(&self, roles: &[Role], integrations: &[i64]) -> String {
        let number = self.people.fetch_add(1, Ordering::Relaxed);
        let new = NewUser {
            email: format!("person-{number}@example.com")
                .parse()
                .expect("an address"),
            name: None,
            roles: roles.to_vec(),
            scoped_integrations: integrations.iter().copied().map(IntegrationId).collect(),
            idempotency: None,
        };
        let made = self.store.create_user(new, self.change()).await;
        let user = made.expect("a new address").record.id;
        let mut random = [0; 32];
        random[..8].copy_from_slice(&number.to_be_bytes());
        let token = Token::of_session(random);
        let signed_in = self
            .store
            .create_session(user, token.hash(), None, self.change());
        signed_in.await.expect("signed in");
        token.text().to_owned()
    }

    pub(super) fn app(&self) -> &App {
        &self.api.app
    }

    /// Answers a request of a sensitive route.
    pub(super) async fn sensitive(&self, action: &str, parameters: &Value) -> (u16, Value) {
        let body = BASE64.encode(parameters.to_string());
        self.send(action, "text/plain", body).await
    }

    /// Answers a request of a route that takes no token.
    pub(super) async fn open(&self, action: &str, parameters: &Value) -> (u16, Value) {
        self.send(action, "application/json", parameters.to_string())
            .await
    }

    async fn send(&self, action: &str, content_type: &str, sent: String) -> (u16, Value) {
        let request = Request::post(format!("/api/v1/{action}"))
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(sent))
            .expect("a request");
        let answer = self.api.answer(request).await;
        (answer.status().as_u16(), body(&answer))
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
