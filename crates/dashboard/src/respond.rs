//! Answers with the headers that every page must have.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::shell::Page;

/// What a page's handler comes to.
pub type Answer = Response<Body>;

/// Nothing from elsewhere, nothing inline, no frame around it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// A page may be kept, and must be asked for each time.
const REVALIDATE: &str = "no-cache";

/// A page that was found.
pub(crate) fn page(page: &Page<'_>) -> Answer {
    html(StatusCode::OK, page).map(Body::from)
}

/// A page that nobody but its reader may keep, and that tells nobody where the reader was.
pub(crate) fn private(page: &Page<'_>) -> Answer {
    let mut answer = html(StatusCode::OK, page);
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    answer.map(Body::from)
}

/// A page that says that there is none.
pub(crate) fn not_found(page: &Page<'_>) -> Response<Bytes> {
    html(StatusCode::NOT_FOUND, page)
}

/// A page that says that it cannot be made just now.
pub(crate) fn unavailable(page: &Page<'_>) -> Answer {
    html(StatusCode::SERVICE_UNAVAILABLE, page).map(Body::from)
}

fn html(status: StatusCode, page: &Page<'_>) -> Response<Bytes> {
    let text = page.render().into_string();
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
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
    ];
    for (name, value) in headers {
        answer
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    answer
}
