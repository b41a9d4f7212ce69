//! For load balancers and supervisors: whether the process lives, and whether it can take work.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::api::Api;

/// The process answers.
pub(crate) fn alive() -> Response<Bytes> {
    plain(StatusCode::OK, "ok\n")
}

/// The store can be written. The reason why not is for the log, not for whoever asks.
pub(crate) async fn ready(api: &Api) -> Response<Bytes> {
    match api.app.check_writable().await {
        Ok(()) => plain(StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            plain(
                StatusCode::SERVICE_UNAVAILABLE,
                "the store cannot be written\n",
            )
        }
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(text.as_bytes()));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, plain);
    response
}
