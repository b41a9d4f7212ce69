//! Answers with the headers that every page must have.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::cookies;
use crate::shell::{Bare, Page, Screen};

/// What a page's handler comes to.
pub type Answer = Response<Body>;

/// Nothing from elsewhere, nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors";
/// A page may be kept, and must be asked for each time.
const REVALIDATE: &str = "no-cache";

/// Marks an answer whose page stands in the layout of somebody's pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InPlace;

/// The policy of a page that these origins may frame; nobody, where there is none.
pub(crate) fn policy(frame_ancestors: &[String]) -> String {
    match frame_ancestors.is_empty() {
        true => format!("{CONTENT_SECURITY_POLICY} 'none'"),
        false => format!("{CONTENT_SECURITY_POLICY} {}", frame_ancestors.join(" ")),
    }
}

/// A page that was found.
pub(crate) fn page(page: &Page<'_>) -> Answer {
    html(StatusCode::OK, page).map(Body::from)
}

/// A page that nobody but its reader may keep.
pub(crate) fn private(page: &Page<'_>) -> Answer {
    failure(StatusCode::OK, page)
}

/// A page that says why there is no other, or shows a form again.
pub(crate) fn failure(status: StatusCode, page: &Page<'_>) -> Answer {
    let mut answer = html(status, page);
    no_store(&mut answer);
    answer.map(Body::from)
}

/// A page of somebody who is signed in. What was said of the last form is said once; the integration is remembered.
pub(crate) fn screen(screen: &Screen<'_>) -> Answer {
    screen_with(StatusCode::OK, screen)
}

/// The same with another status: where a form is shown again.
pub(crate) fn screen_with(status: StatusCode, screen: &Screen<'_>) -> Answer {
    let text = screen.render().into_string();
    let mut answer = content(Bytes::from(text), "text/html; charset=utf-8", REVALIDATE);
    *answer.status_mut() = status;
    no_store(&mut answer);
    answer.extensions_mut().insert(InPlace);
    let visit = screen.visit;
    let guard = visit.cookie_guard();
    let headers = answer.headers_mut();
    if visit.flash.is_some() {
        cookies::set(headers, guard, cookies::FLASH, "", Some(0));
    }
    if let Some(integration) = &visit.integration
        && !visit.is_by_link()
        && visit.remembered_integration != Some(integration.id)
    {
        let id = integration.id.to_string();
        let seconds = Some(cookies::REMEMBERED_SECONDS);
        cookies::set(headers, guard, cookies::INTEGRATION, &id, seconds);
    }
    answer.map(Body::from)
}

/// Leads on to another page of ours, by GET: what follows a form, so that loading the page again does not send it again.
pub(crate) fn see_other(path: &str) -> Answer {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::SEE_OTHER;
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let path = HeaderValue::from_str(path);
    let path = path.unwrap_or(HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, path);
    answer
}

/// The same, with a sentence for that page.
pub(crate) fn done(visit: &crate::visit::Visit, path: &str, sentence: &str) -> Answer {
    let mut answer = see_other(path);
    cookies::set_flash(answer.headers_mut(), visit.cookie_guard(), sentence);
    answer
}

fn no_store(answer: &mut Response<Bytes>) {
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
}

/// A page that says that there is none.
pub(crate) fn not_found(page: &Page<'_>) -> Response<Bytes> {
    html(StatusCode::NOT_FOUND, page)
}

/// A page that says that it cannot be made just now.
pub(crate) fn unavailable(page: &Page<'_>) -> Answer {
    html(StatusCode::SERVICE_UNAVAILABLE, page).map(Body::from)
}

/// A page with nothing around it.
pub(crate) fn bare(status: StatusCode, page: &Bare<'_>) -> Response<Bytes> {
    rendered(status, page.render().into_string())
}

fn html(status: StatusCode, page: &Page<'_>) -> Response<Bytes> {
    rendered(status, page.render().into_string())
}

fn rendered(status: StatusCode, text: String) -> Response<Bytes> {
    let mut answer = content(Bytes::from(text), "text/html; charset=utf-8", REVALIDATE);
    *answer.status_mut() = status;
    answer
}

/// JSON that is made anew with each version.
pub(crate) fn json(text: String) -> Answer {
    content(Bytes::from(text), "application/json", REVALIDATE).map(Body::from)
}

/// Any content, for as long as `cache_control` says.
pub(crate) fn content(
    bytes: Bytes,
    content_type: &'static str,
    cache_control: &'static str,
) -> Response<Bytes> {
    let mut answer = Response::new(bytes);
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, cache_control),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in headers {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy(&[])) {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    answer
}
