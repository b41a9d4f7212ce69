//! How the parts of a node see one another: the API's use cases, engine and name look-ups.

use std::sync::Arc;
use std::time::Duration;

use api::{Api, Lookup};
use app::{App, Underway};
use axum::Router;
use delivery::Engine;
use domain::destination::CallbackUrl;
use domain::id::WebhookJobId;
use egress::{Client, Fault};
use store::Store;

use crate::clock::SystemClock;
use crate::config::Config;

/// How long a look-up may take while a subscription is made, in seconds; it only serves a warning.
const LOOKUP_SECONDS_MAX: u64 = 1;

/// The engine, as the use cases know it.
struct Sending(Arc<Engine>);

impl Underway for Sending {
    fn delivering(&self) -> Vec<WebhookJobId> {
        self.0.delivering()
    }
}

/// The API over this store and engine.
pub fn router(
    config: &Config,
    store: Arc<dyn Store>,
    engine: Arc<Engine>,
    client: Client,
) -> Router {
    let app = App::new(store, Arc::new(SystemClock), Arc::new(Sending(engine)));
    let settings = api::Settings {
        egress: config.egress.clone(),
        lookup: Some(lookup(client)),
    };
    api::router(Arc::new(Api::new(Arc::new(app), settings)))
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
