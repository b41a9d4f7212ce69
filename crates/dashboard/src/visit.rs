//! A request of somebody who is signed in: who they are, the integration they look at, and what they may do.

use std::sync::Arc;

use app::{Access, Principal, Use};
use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use contract::status;
use domain::user::User;
use http::Method;
use http::request::Parts;
use serde_json::{Value, json};

use crate::Dashboard;
use crate::api_call::{Client, Reply};
use crate::cookies;
use crate::portal::ByLink;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::text::text;

/// Integrations that the menu names; the rest is on the page of all.
const MENU_INTEGRATIONS: u32 = 12;

/// See the module. As an argument of a handler it sends whoever is not signed in to the page where they sign in, and answers an
/// integration that is out of reach like one that does not exist.
pub(crate) struct Visit {
    pub(crate) client: Client,
    principal: Principal,
    /// Where the pages of the link begin that they came by, if it is one into the portal.
    portal_root: Option<String>,
    /// The token that its forms bear.
    pub(crate) form_token: String,
    /// The integration that the path names.
    pub(crate) integration: Option<Integration>,
    /// What the menu of integrations offers.
    pub(crate) menu: Vec<Integration>,
    /// Notifications that nobody has read, for those who may.
    pub(crate) unread: u64,
    /// What the last form came to.
    pub(crate) flash: Option<String>,
    /// The integration that the browser remembers.
    pub(crate) remembered_integration: Option<i64>,
    /// The path of the page.
    pub(crate) path: String,
}

/// An integration, as far as navigation needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Integration {
    pub(crate) id: i64,
    pub(crate) name: String,
}

impl Integration {
    fn of(record: &Value) -> Integration {
        Integration {
            id: record["id"].as_i64().unwrap_or_default(),
            name: text(record, "name").to_owned(),
        }
    }
}

impl Visit {
    /// Who it is.
    pub(crate) fn user(&self) -> Option<&User> {
        self.principal.signed_in().map(|signed_in| &signed_in.user)
    }

    /// Whether they may use what asks for this access.
    pub(crate) fn may(&self, access: Access) -> bool {
        access.check(&self.principal).is_ok()
    }

    /// Refuses a page to those who may not use what it leads to; the API decides again when something is sent.
    ///
    /// # Errors
    /// They may not.
    pub(crate) fn demand(&self, access: Access) -> Result<(), Refusal> {
        match self.may(access) {
            true => Ok(()),
            false => Err(Refusal::new(&status::PERMISSION_DENIED)),
        }
    }

    /// Where the pages of the integration begin; empty outside of one.
    pub(crate) fn root(&self) -> String {
        let of = |integration: &Integration| format!("/integrations/{}", integration.id);
        let integration = || self.integration.as_ref().map(of).unwrap_or_default();
        self.portal_root.clone().unwrap_or_else(integration)
    }

    /// Where the first of their pages is.
    pub(crate) fn home(&self) -> &str {
        self.portal_root.as_deref().unwrap_or("/")
    }

    /// Whether they came by a link into the portal.
    pub(crate) fn is_by_link(&self) -> bool {
        self.portal_root.is_some()
    }

    /// What they are called who came by a link into the portal.
    pub(crate) fn subject(&self) -> Option<&str> {
        let link = self.principal.portal_link()?;
        Some(&link.subject)
    }

    /// Where cookies of their pages are sent along.
    pub(crate) fn cookie_guard(&self) -> cookies::Guard {
        match self.is_by_link() {
            true => cookies::Guard::Framed,
            false => self.client.dashboard.cookie_guard(),
        }
    }

    /// Calls a route; one that wants an integration gets that of the path.
    ///
    /// # Errors
    /// Whatever the API refuses.
    pub(crate) async fn call(&self, name: &str, mut parameters: Value) -> Result<Reply, Refusal> {
        let declared = self.client.route(name)?.params;
        if let Some(integration) = &self.integration
            && declared.iter().any(|param| param.name == "integration_id")
        {
            parameters["integration_id"] = json!(integration.id);
        }
        self.client.call(name, parameters).await
    }

    async fn of(
        parts: &Parts,
        dashboard: &Arc<Dashboard>,
        token: String,
    ) -> Result<Visit, Refusal> {
        let is_use = parts.extensions.get().copied().unwrap_or(Use::Made);
        let principal = dashboard.app.recognise(&token, is_use).await;
        let principal = principal.map_err(|denied| match denied {
            app::Denied::Store(_) => Refusal::new(&status::STORE_UNAVAILABLE),
            _ => Refusal::new(&status::INVALID_TOKEN),
        })?;
        let by_link = parts.extensions.get::<ByLink>();
        // The token of a program is no session, and that of a link is good within the portal only.
        let is_good = match by_link {
            Some(_) => principal.portal_link().is_some(),
            None => Access::Sessions.check(&principal).is_ok(),
        };
        if !is_good {
            return Err(Refusal::new(&status::INVALID_TOKEN));
        }
        if Access::Readers.check(&principal).is_err() {
            return Err(Refusal::new(&status::CLIENT_REQUIRED));
        }
        let form_token = crate::forgery::token(&token);
        let client = Client::of(parts, dashboard, Some(token));
        let remembered = cookies::get(&parts.headers, cookies::INTEGRATION);
        let mut visit = Visit {
            client,
            principal,
            portal_root: by_link.map(|by_link| by_link.root.clone()),
            form_token,
            integration: None,
            menu: Vec::new(),
            unread: 0,
            flash: cookies::flash(&parts.headers),
            remembered_integration: remembered.and_then(|id| id.parse().ok()),
            path: parts.uri.path().to_owned(),
        };
        if let Some(id) = integration_id(parts.uri.path()) {
            let shown = visit.call("integrations/show", json!({ "id": id })).await?;
            visit.integration = Some(Integration::of(&shown.value()));
        }
        if let Some(root) = &visit.portal_root {
            visit.path = in_portal(root, parts.uri.path());
        } else if parts.method == Method::GET {
            let page = json!({ "page": { "size": MENU_INTEGRATIONS } });
            let listed = visit.call("integrations/index", page).await?;
            visit.menu = listed.items().iter().map(Integration::of).collect();
            if visit.may(Access::Operators) {
                visit.unread = crate::notifications::unread(&visit).await;
            }
        }
        Ok(visit)
    }
}

/// The path of a page in the portal, of that among the pages of the integration.
fn in_portal(root: &str, path: &str) -> String {
    let rest = path.strip_prefix("/integrations/").unwrap_or_default();
    let page = rest.split_once('/').map_or("", |(_, page)| page);
    match page.is_empty() {
        true => root.to_owned(),
        false => format!("{root}/{page}"),
    }
}

/// The integration that a path is about.
fn integration_id(path: &str) -> Option<i64> {
    let rest = path.strip_prefix("/integrations/")?;
    rest.split('/').next()?.parse().ok()
}

impl FromRequestParts<Arc<Dashboard>> for Visit {
    type Rejection = Answer;

    async fn from_request_parts(
        parts: &mut Parts,
        dashboard: &Arc<Dashboard>,
    ) -> Result<Visit, Answer> {
        use axum::response::IntoResponse;
        let token = match parts.extensions.get::<ByLink>() {
            Some(by_link) => Some(by_link.token.as_str()),
            None => cookies::get(&parts.headers, cookies::SESSION),
        };
        let Some(token) = token.map(str::to_owned) else {
            return Err(to_sign_in(parts));
        };
        let visit = Visit::of(parts, dashboard, token).await;
        visit.map_err(
            |refusal| match refusal.status == status::INVALID_TOKEN.slug {
                true => to_sign_in(parts),
                false => refusal.into_response(),
            },
        )
    }
}

/// For pages that differ for those who are signed in.
impl OptionalFromRequestParts<Arc<Dashboard>> for Visit {
    type Rejection = Answer;

    async fn from_request_parts(
        parts: &mut Parts,
        dashboard: &Arc<Dashboard>,
    ) -> Result<Option<Visit>, Answer> {
        let visit = <Visit as FromRequestParts<_>>::from_request_parts(parts, dashboard).await;
        Ok(visit.ok())
    }
}

/// The page where people sign in, which leads back to where they wanted to go.
fn to_sign_in(parts: &Parts) -> Answer {
    let wanted = parts
        .uri
        .path_and_query()
        .map_or("/", |wanted| wanted.as_str());
    if parts.method != Method::GET || wanted == "/" {
        return respond::see_other("/sign_in");
    }
    let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    respond::see_other(&format!("/sign_in?next={next}"))
}
