//! Pages for people: the dashboard of those who are signed in, and the reference of the API.
//!
//! A page is a function from what is known to markup; `shell` puts it into the layout, `respond` makes it an
//! answer with its headers. Pages can be read without JavaScript; `assets/app.js` only adds comfort.
//!
//! A handler takes a `visit::Visit` (who is signed in, and where) or a `posted::Posted` (the form that they sent), and calls
//! routes of the API in process (`api_call`): what is allowed and what is valid is decided there, once. `form` draws a route's
//! parameters as fields, `list` makes a page's query into those of a list, `live` keeps what bears `data-live` up to date.

mod account;
mod api_call;
mod applications;
mod assets;
mod audit_events;
mod cookies;
mod documentation;
mod first_run;
mod forgery;
mod form;
mod integrations;
mod invitation;
mod list;
mod list_items;
mod live;
mod navigation;
mod notifications;
mod orders;
mod pages;
mod portal;
mod posted;
mod prose;
mod refusal;
mod respond;
mod services;
mod shell;
mod sign_in;
mod snippets;
mod test_receivers;
#[cfg(test)]
mod tests;
mod text;
mod users;
mod visit;
mod webhook_jobs;
mod webhook_out_subs;

use std::sync::Arc;

use app::App;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::middleware::from_fn_with_state;
use bytes::Bytes;
use contract::Route;
use http::Response;
use tokio_util::sync::CancellationToken;

use pages::Pages;

pub use api_call::Api;
pub use pages::Declared;
pub use test_receivers::TestReceivers;

/// What the pages show.
pub struct Dashboard {
    /// Every route of the API, service by service.
    pub routes: Vec<&'static Route>,
    /// The API as an OpenAPI document.
    pub openapi: String,
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
    /// Origins whose pages may frame the portal.
    pub frame_ancestors: Vec<String>,
    /// For what is kept in the store.
    pub app: Arc<App>,
    /// Answers requests to the API, in process.
    pub api: Api,
    /// What arrived at test receivers.
    pub test_receivers: Arc<TestReceivers>,
    /// Says that the server is about to stop: pages that are kept up to date then let go.
    pub stopping: CancellationToken,
}

impl Dashboard {
    /// Where cookies of its own pages are sent along: by https only, where people come by that.
    fn cookie_guard(&self) -> cookies::Guard {
        cookies::Guard::own(self.public_url.starts_with("https://"))
    }

    /// The declaration of a route, such as `webhook_jobs/index`.
    fn route(&self, name: &str) -> Result<&'static Route, refusal::Refusal> {
        let is_it = |route: &&&Route| name.split_once('/') == Some((route.service, route.action));
        self.routes.iter().find(is_it).copied().ok_or_else(|| {
            tracing::error!(name, "a page asks for a route that is not there");
            refusal::Refusal::crash()
        })
    }
}

/// The pages. What is not among them is left to whoever adds this to a server.
pub fn router(dashboard: Dashboard) -> Router {
    let live = live::Live::new(dashboard.stopping.clone());
    let dashboard = Arc::new(dashboard);
    let pages = all()
        .into_router()
        .layer(from_fn_with_state(Arc::new(live), live::keep_up))
        .with_state(dashboard.clone());
    let portal = portal::router(dashboard, pages.clone());
    pages.nest_service(portal::PATH, portal)
}

/// All pages and forms by their paths. Those of the portal are some of them, below another path.
pub fn pages() -> Vec<Declared> {
    all().into_declared()
}

fn all() -> Pages {
    Pages::new()
        .merge(documentation::router())
        .merge(sign_in::router())
        .merge(first_run::router())
        .merge(account::router())
        .merge(integrations::router())
        .merge(webhook_jobs::router())
        .merge(orders::router())
        .merge(webhook_out_subs::router())
        .merge(test_receivers::router())
        .merge(invitation::router())
        .merge(users::router())
        .merge(applications::router())
        .merge(list_items::router())
        .merge(notifications::router())
        .merge(audit_events::router())
        .merge(services::router())
        .get("/assets/{name}", asset)
}

async fn asset(State(_): State<Arc<Dashboard>>, Path(name): Path<String>) -> respond::Answer {
    assets::find(&name)
        .unwrap_or_else(page_not_found)
        .map(Body::from)
}

/// The page for people who follow a link that leads nowhere.
pub fn page_not_found() -> Response<Bytes> {
    respond::not_found(&shell::Page {
        title: "Page not found",
        aside: None,
        main: maud::html! {
            h1 { "There is no page at this address" }
            p { "Check the address for a typing error, begin at the " a href="/" { "dashboard" } ", or look it up in the "
                a href="/documentation" { "API reference" } ". What is out of your reach is shown like what does not exist." }
            p { "The API itself lives below " code { "/api/v1/" } "." }
        },
    })
}
