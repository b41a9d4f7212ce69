//! How the parts of a node see one another: the API's use cases, engine and name look-ups.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{Api, Lookup};
use app::{App, Mailer, Underway};
use axum::Router;
use bytes::Bytes;
use dashboard::{Dashboard, TestReceivers};
use delivery::Engine;
use domain::destination::CallbackUrl;
use domain::id::WebhookJobId;
use domain::portal_link::PortalKey;
use domain::time::Clock;
use egress::{Answer, Client, Fault, InProcess};
use http::{HeaderMap, HeaderValue};
use store::{SecretKey, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::config::Config;

/// How long a look-up may take while a subscription is made, in seconds; it only serves a warning.
const LOOKUP_SECONDS_MAX: u64 = 1;

/// What the key is derived for that signs links into the portal.
const PORTAL_LINKS: &str = "portal_links";

/// What a test receiver answers.
const TAKEN: &[u8] = b"taken by the test receiver";

/// The engine, as the use cases know it.
struct Sending(Arc<Engine>);

impl Underway for Sending {
    fn delivering(&self) -> Vec<WebhookJobId> {
        self.0.delivering()
    }
}

/// The use cases over this store and engine.
pub fn app(
    store: Arc<dyn Store>,
    engine: Arc<Engine>,
    mailer: Arc<dyn Mailer>,
    key: &SecretKey,
) -> Arc<App> {
    let underway = Arc::new(Sending(engine));
    let portal_key = PortalKey::from_bytes(key.derive(PORTAL_LINKS));
    let clock = Arc::new(SystemClock);
    Arc::new(App::new(store, clock, underway, mailer, portal_key))
}

/// The API over the use cases, its records made, and the pages for people.
///
/// # Errors
/// When the store cannot be written.
pub async fn router(
    config: &Config,
    app: Arc<App>,
    client: Client,
    listening: SocketAddr,
    test_receivers: Arc<TestReceivers>,
    stopping: CancellationToken,
) -> Result<Router, StoreError> {
    let settings = api::Settings {
        egress: config.egress.clone(),
        lookup: Some(lookup(client)),
        trusted_proxies: config.trusted_proxies.clone(),
        page_not_found: dashboard::page_not_found,
        public_url: config.mails.public_url(listening),
        registration_url: config.mails.registration_url(listening),
    };
    let api = Arc::new(Api::new(app.clone(), settings));
    api.declare_routes().await?;
    let pages = dashboard::router(Dashboard {
        routes: api::all_routes().collect(),
        openapi: api::openapi(),
        public_url: config.mails.public_url(listening),
        frame_ancestors: config.frame_ancestors.clone(),
        app,
        api: in_process(api.clone()),
        test_receivers,
        stopping,
    });
    Ok(api::router(api).merge(pages))
}

/// The API, as the pages call it.
fn in_process(api: Arc<Api>) -> dashboard::Api {
    Arc::new(move |request| {
        let api = api.clone();
        Box::pin(async move { api.answer(request).await })
    })
}

/// Test receivers, as deliveries reach them: each takes everything.
pub fn reach(receivers: Arc<TestReceivers>) -> InProcess {
    let answer = move |url: &CallbackUrl, headers: &HeaderMap, body: &Bytes| {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str().to_owned(), text(value)));
        receivers.receive(url.target(), headers.collect(), body, SystemClock.now());
        Answer {
            status: 200,
            headers: HeaderMap::new(),
            body: Bytes::from_static(TAKEN),
            body_truncated: false,
        }
    };
    InProcess {
        host: TestReceivers::host().to_owned(),
        answer: Arc::new(answer),
    }
}

fn lookup(client: Client) -> Lookup {
    Arc::new(move |url| Box::pin(refusal(client.clone(), url)))
}

/// Why the addresses of a callback's name are refused, if they are and it is soon known.
async fn refusal(client: Client, url: CallbackUrl) -> Option<String> {
    let patience = Duration::from_secs(LOOKUP_SECONDS_MAX);
    match tokio::time::timeout(patience, client.check(&url)).await {
        Ok(Err(Fault::Refused(refused))) => Some(refused.to_string()),
        _ => None,
    }
}
