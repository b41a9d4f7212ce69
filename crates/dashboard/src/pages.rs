//! Which pages there are: their paths and methods, kept beside the router that leads to them, so that tests can go through all of them.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use http::Method;

use crate::Dashboard;

/// A page, or a form that is sent to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// How it is asked for.
    pub method: Method,
    /// Its path, with `{name}` for what varies.
    pub path: String,
}

/// Pages with their handlers.
pub(crate) struct Pages {
    router: Router<Arc<Dashboard>>,
    declared: Vec<Declared>,
}

impl Pages {
    pub(crate) fn new() -> Pages {
        Pages {
            router: Router::new(),
            declared: Vec::new(),
        }
    }

    /// A page that is looked at.
    pub(crate) fn get<H, T>(self, path: &str, handler: H) -> Pages
    where
        H: Handler<T, Arc<Dashboard>>,
        T: 'static,
    {
        self.with(Method::GET, path, get(handler))
    }

    /// A form that is sent there.
    pub(crate) fn post<H, T>(self, path: &str, handler: H) -> Pages
    where
        H: Handler<T, Arc<Dashboard>>,
        T: 'static,
    {
        self.with(Method::POST, path, post(handler))
    }

    fn with(mut self, method: Method, path: &str, handler: MethodRouter<Arc<Dashboard>>) -> Pages {
        self.router = self.router.route(path, handler);
        let path = path.to_owned();
        self.declared.push(Declared { method, path });
        self
    }

    /// These and those.
    pub(crate) fn merge(mut self, other: Pages) -> Pages {
        self.router = self.router.merge(other.router);
        self.declared.extend(other.declared);
        self
    }

    /// What leads to them.
    pub(crate) fn into_router(self) -> Router<Arc<Dashboard>> {
        self.router
    }

    /// What they are.
    pub(crate) fn into_declared(self) -> Vec<Declared> {
        self.declared
    }
}
