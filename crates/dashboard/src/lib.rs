//! Pages for people: the shell that all of them share, and the reference of the API.
//!
//! A page is a function from what is known to markup; `shell` puts it into the layout, `respond` makes it an
//! answer with its headers. Pages can be read without JavaScript; `assets/app.js` only adds comfort.

mod assets;
mod documentation;
mod prose;
mod respond;
mod shell;
mod sign_in;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use app::App;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Redirect;
use axum::routing::get;
use bytes::Bytes;
use contract::Route;
use http::Response;

/// What the pages show.
pub struct Dashboard {
    /// Every route of the API, service by service.
    pub routes: Vec<&'static Route>,
    /// The API as an OpenAPI document.
    pub openapi: String,
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
    /// For what is kept in the store.
    pub app: Arc<App>,
}

/// The pages. What is not among them is left to whoever adds this to a server.
pub fn router(dashboard: Dashboard) -> Router {
    Router::new()
        .merge(documentation::router())
        .merge(sign_in::router())
        .route("/", get(first))
        .route("/assets/{name}", get(asset))
        .with_state(Arc::new(dashboard))
}

/// The reference is what there is to see first.
async fn first() -> Redirect {
    Redirect::temporary("/documentation")
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
            p { "Check the address for a typing error, or look it up in the "
                a href="/documentation" { "API reference" } "." }
            p { "The API itself lives below " code { "/api/v1/" } "." }
        },
    })
}
