//! What all requests share.

use std::collections::HashMap;
use std::sync::Arc;

use app::App;
use domain::destination::{CallbackUrl, EgressPolicy};
use futures_util::future::BoxFuture;

use crate::body::Bodies;
use crate::endpoint::Endpoint;
use crate::routes;

/// Resolves a callback's name, and says why its addresses are refused if they are. What cannot be
/// resolved is not refused.
pub type Lookup = Arc<dyn Fn(CallbackUrl) -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// What the operator decides.
pub struct Settings {
    /// The addresses that callbacks may have.
    pub egress: EgressPolicy,
    /// Resolves the names of callbacks, for a warning; without it, there is none.
    pub lookup: Option<Lookup>,
}

/// The API over the use cases.
pub struct Api {
    pub(crate) app: Arc<App>,
    pub(crate) settings: Settings,
    pub(crate) bodies: Bodies,
    /// By path: no path has two methods.
    pub(crate) endpoints: HashMap<String, &'static Endpoint>,
}

impl Api {
    /// The API with all its routes.
    pub fn new(app: Arc<App>, settings: Settings) -> Api {
        Api::with(app, settings, routes::ENDPOINTS)
    }

    /// The API with these routes only.
    pub(crate) fn with(app: Arc<App>, settings: Settings, endpoints: &'static [Endpoint]) -> Api {
        let by_path = |endpoint: &'static Endpoint| (endpoint.route.path(), endpoint);
        Api {
            app,
            settings,
            bodies: Bodies::new(),
            endpoints: endpoints.iter().map(by_path).collect(),
        }
    }
}
