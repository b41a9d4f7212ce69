//! What all requests share.

use std::collections::HashMap;
use std::sync::Arc;

use app::App;
use bytes::Bytes;
use domain::destination::{CallbackUrl, EgressPolicy};
use futures_util::future::BoxFuture;
use http::Response;
use ipnet::IpNet;
use store::{DeclaredRoute, StoreError};

use crate::body::Bodies;
use crate::endpoint::Endpoint;
use crate::endpoints;

/// Resolves a callback's name, and says why its addresses are refused if they are. What cannot be
/// resolved is not refused.
pub type Lookup = Arc<dyn Fn(CallbackUrl) -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// What the operator decides.
pub struct Settings {
    /// The addresses that callbacks may have.
    pub egress: EgressPolicy,
    /// Resolves the names of callbacks, for a warning; without it, there is none.
    pub lookup: Option<Lookup>,
    /// Proxies whose word on where a request comes from counts.
    pub trusted_proxies: Vec<IpNet>,
    /// What somebody is answered who asks for a page that is not there.
    pub page_not_found: fn() -> Response<Bytes>,
    /// Where people reach this server, without a slash at the end.
    pub public_url: String,
    /// The page where people register as clients.
    pub registration_url: String,
}

/// The API over the use cases.
pub struct Api {
    pub(crate) app: Arc<App>,
    pub(crate) settings: Settings,
    pub(crate) bodies: Bodies,
    /// In the order of their declaration.
    declared: &'static [Endpoint],
    /// By path: no path has two methods.
    pub(crate) endpoints: HashMap<String, &'static Endpoint>,
}

impl Api {
    /// Makes the records of routes that are new; until then they answer `route-not-found`.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn declare_routes(&self) -> Result<(), StoreError> {
        let declared = |endpoint: &Endpoint| DeclaredRoute {
            service: endpoint.route.service,
            action: endpoint.route.action,
            method: endpoint.route.method.name(),
        };
        let routes = self.declared.iter().map(declared).collect();
        self.app.declare_routes(routes).await
    }

    /// The API with all its routes.
    pub fn new(app: Arc<App>, settings: Settings) -> Api {
        Api::with(app, settings, endpoints::ENDPOINTS)
    }

    /// The API with these routes only.
    pub(crate) fn with(app: Arc<App>, settings: Settings, endpoints: &'static [Endpoint]) -> Api {
        let by_path = |endpoint: &'static Endpoint| (endpoint.route.path(), endpoint);
        Api {
            app,
            settings,
            bodies: Bodies::new(),
            declared: endpoints,
            endpoints: endpoints.iter().map(by_path).collect(),
        }
    }
}
