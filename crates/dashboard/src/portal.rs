//! The portal: the pages of one integration for somebody who came by a signed link, in a frame of another site or on their own.
//!
//! The link's token is in the path of every page, `/portal/prp_…/webhook_jobs`, and in no cookie: a frame in another site gets none.
//! So nothing goes along with a request by itself, and no session of somebody else is ever at work here. What comes in is asked of the
//! pages of the integration; what goes out never leads elsewhere. These are the only pages that may be framed.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, StatusCode, Uri, header};
use maud::{Markup, html};
use tower_service::Service;

use crate::Dashboard;
use crate::respond::{self, Answer, InPlace};
use crate::shell::Bare;

/// Where it begins.
pub(crate) const PATH: &str = "/portal";
/// The pages of an integration that are part of it, by the first part of their path: the overview, and what can be mended.
const PARTS: [&str; 4] = ["", "webhook_out_subs", "webhook_jobs", "orders"];

/// A request by a link, as the pages see it.
#[derive(Clone, Debug)]
pub(crate) struct ByLink {
    /// The link's token.
    pub(crate) token: String,
    /// Where its pages begin.
    pub(crate) root: String,
}

struct Portal {
    dashboard: Arc<Dashboard>,
    pages: Router,
}

/// The portal over all pages.
pub(crate) fn router(dashboard: Arc<Dashboard>, pages: Router) -> Router {
    let portal = Portal { dashboard, pages };
    Router::new().fallback(enter).with_state(Arc::new(portal))
}

/// What stands before the token is gone from the path already.
async fn enter(State(portal): State<Arc<Portal>>, request: Request) -> Answer {
    let uri = request.uri().clone();
    let inside = uri.path().trim_start_matches('/');
    let (token, page) = inside.split_once('/').unwrap_or((inside, ""));
    let answer = portal.page(token, page, &uri, request).await;
    portal.framed(answer)
}

impl Portal {
    async fn page(&self, token: &str, page: &str, uri: &Uri, request: Request) -> Answer {
        let principal = self.dashboard.app.authenticate(token).await;
        let integration_id = match &principal {
            Ok(principal) => principal.portal_link().map(|link| link.integration_id),
            Err(app::Denied::Store(_)) => {
                return bare(StatusCode::SERVICE_UNAVAILABLE, NOT_NOW);
            }
            Err(_) => None,
        };
        let Some(integration_id) = integration_id else {
            return bare(StatusCode::UNAUTHORIZED, OVER);
        };
        let part = page.split('/').next().unwrap_or_default();
        if !PARTS.contains(&part) {
            return bare(StatusCode::NOT_FOUND, NO_PAGE);
        }
        let by_link = ByLink {
            token: token.to_owned(),
            root: format!("{PATH}/{token}"),
        };
        let path = format!("/integrations/{integration_id}/{page}");
        let Some(request) = asked(request, path.trim_end_matches('/'), uri, &by_link) else {
            return bare(StatusCode::NOT_FOUND, NO_PAGE);
        };
        let is_form = request.method() == Method::POST;
        let Ok(answer) = self.pages.clone().call(request).await;
        kept_inside(answer, is_form, &by_link.root)
    }

    /// Says who may frame it.
    fn framed(&self, mut answer: Answer) -> Answer {
        let policy = respond::policy(&self.dashboard.frame_ancestors);
        // Origins are ASCII, as the configuration sees to.
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }
}

/// The request as one for a page of the integration.
fn asked(request: Request, path: &str, uri: &Uri, by_link: &ByLink) -> Option<Request> {
    let (mut parts, body) = request.into_parts();
    let query = uri.query().map(|query| format!("?{query}"));
    let asked = format!("{path}{}", query.unwrap_or_default());
    parts.uri = Uri::from(asked.parse::<PathAndQuery>().ok()?);
    parts.extensions.insert(by_link.clone());
    Some(Request::from_parts(parts, body))
}

/// What leads elsewhere, and pages that are not of the portal, are answered by the portal's own.
fn kept_inside(answer: Answer, is_form: bool, root: &str) -> Answer {
    let status = answer.status();
    if let Some(place) = answer.headers().get(header::LOCATION) {
        return match place.as_bytes().starts_with(root.as_bytes()) {
            true => answer,
            // To sign in: the link came to its end.
            false => bare(StatusCode::UNAUTHORIZED, OVER),
        };
    }
    if status.is_success() || answer.extensions().get::<InPlace>().is_some() {
        return answer;
    }
    let (status, title) = match status {
        StatusCode::FORBIDDEN if is_form => (status, "The form was not accepted"),
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED => {
            (StatusCode::NOT_FOUND, NO_PAGE)
        }
        StatusCode::BAD_REQUEST => (status, "That cannot be shown"),
        StatusCode::PAYLOAD_TOO_LARGE => (status, "The form is too large"),
        StatusCode::TOO_MANY_REQUESTS => (status, "Too many requests"),
        StatusCode::SERVICE_UNAVAILABLE => (status, NOT_NOW),
        _ => (status, "Something went wrong"),
    };
    say(
        status,
        title,
        &html! { p { a href=(root) { "Back to the overview" } } },
    )
}

const NOT_NOW: &str = "Not available just now";
const OVER: &str = "This link is not good any more";
const NO_PAGE: &str = "There is no page at this address";

/// A page with nothing around it: its reader may have no link that is good.
fn bare(status: StatusCode, title: &str) -> Answer {
    let about = html! {
        @if title == OVER { p { "Links into the portal are good for a while only. Load the page again that led you here: it makes a new one." } }
    };
    say(status, title, &about)
}

fn say(status: StatusCode, title: &str, about: &Markup) -> Answer {
    let main = html! { h1 { (title) } (about) };
    respond::bare(status, &Bare { title, main }).map(Body::from)
}
