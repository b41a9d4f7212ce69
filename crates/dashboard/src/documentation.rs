//! The reference of the API, made of the declarations of its routes.

mod body;
mod contents;
mod guide;
mod params;
mod responses;
mod route;
mod vocabularies;

pub(crate) use body::code;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use contract::Route;
use maud::Markup;
use store::List;

use crate::pages::Pages;
use crate::respond::{self, Answer};
use crate::shell::Page;
use crate::{Dashboard, page_not_found};

/// Where the pages of routes begin.
const ROOT: &str = "/documentation";

/// The routes of a service, under its heading.
struct Service {
    key: &'static str,
    title: String,
    routes: Vec<&'static Route>,
}

pub(crate) fn router() -> Pages {
    Pages::new()
        .get("/documentation", index)
        .get("/documentation/api/v1/{service}/{action}", route)
        .get("/documentation/list_items", vocabularies)
        .get("/documentation/list_items/{key}", vocabulary)
        .get("/documentation/openapi.json", openapi)
        .get("/documentation/{*rest}", async || not_found())
}

async fn index(State(dashboard): State<Arc<Dashboard>>) -> Answer {
    respond::page(&index_page(&dashboard.routes, &dashboard.public_url))
}

async fn route(
    State(dashboard): State<Arc<Dashboard>>,
    Path((service, action)): Path<(String, String)>,
) -> Answer {
    let is_it = |route: &&Route| route.service == service && route.action == action;
    match dashboard.routes.iter().position(is_it) {
        Some(at) => respond::page(&route_page(&dashboard.routes, at, &dashboard.public_url)),
        None => not_found(),
    }
}

fn not_found() -> Answer {
    page_not_found().map(Body::from)
}

/// The first page.
pub(crate) fn index_page(routes: &[&'static Route], public_url: &str) -> Page<'static> {
    let services = services(routes);
    Page {
        title: "API reference",
        aside: Some(contents::aside(&services, None)),
        main: guide::main(&services, public_url),
    }
}

/// The page of the route that stands there among them.
pub(crate) fn route_page(routes: &[&'static Route], at: usize, public_url: &str) -> Page<'static> {
    let route = routes[at];
    let neighbours = route::Neighbours {
        before: at.checked_sub(1).map(|at| routes[at]),
        after: routes.get(at + 1).copied(),
    };
    Page {
        title: route.title,
        aside: Some(contents::aside(&services(routes), Some(route))),
        main: route::main(route, &neighbours, public_url),
    }
}

async fn vocabularies(State(dashboard): State<Arc<Dashboard>>) -> Answer {
    let services = services(&dashboard.routes);
    vocabulary_page(&services, "Vocabularies", vocabularies::overview())
}

async fn vocabulary(State(dashboard): State<Arc<Dashboard>>, Path(key): Path<String>) -> Answer {
    let Some(list) = List::parse(&key) else {
        return not_found();
    };
    let services = services(&dashboard.routes);
    match vocabularies::words(&dashboard.app, list).await {
        Ok(words) => {
            let main = vocabularies::main(list, &words);
            vocabulary_page(&services, vocabularies::title(list), main)
        }
        Err(denied) => {
            tracing::error!(%denied, list = list.name(), "a vocabulary cannot be shown");
            respond::unavailable(&Page {
                title: "Not available",
                aside: None,
                main: vocabularies::unavailable(),
            })
        }
    }
}

fn vocabulary_page(services: &[Service], title: &str, main: Markup) -> Answer {
    respond::page(&Page {
        title,
        aside: Some(contents::aside(services, None)),
        main,
    })
}

async fn openapi(State(dashboard): State<Arc<Dashboard>>) -> Answer {
    respond::json(dashboard.openapi.clone())
}

/// The routes, service by service, in the order given.
fn services(routes: &[&'static Route]) -> Vec<Service> {
    let mut services: Vec<Service> = Vec::new();
    for route in routes {
        match services.iter_mut().find(|known| known.key == route.service) {
            Some(service) => service.routes.push(route),
            None => services.push(Service {
                key: route.service,
                title: route.service_title(),
                routes: vec![route],
            }),
        }
    }
    services
}

/// Where a route's page is.
fn page_of(route: &Route) -> String {
    format!("{ROOT}{}", route.path())
}
