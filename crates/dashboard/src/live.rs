//! Pages that keep themselves up to date: the address of a page, asked for as `text/event-stream`, sends the page again whenever it
//! has changed. The script puts the parts that bear `data-live` in the place of the old ones. Who may see it is decided anew each
//! time, by the page itself.

use std::sync::Arc;
use std::time::Duration;

use app::Use;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::{HeaderValue, Method, StatusCode, header};
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// Pages that are kept up to date at the same time, for everybody together; further ones stay as they were loaded.
const PAGES_MAX: usize = 64;
/// How often a page is looked at, in milliseconds.
const EVERY_MILLISECONDS: u64 = 2_000;
/// Looks of one connection, which the browser then makes anew: ten minutes.
const LOOKS_MAX: u32 = 300;
/// Largest page that is sent again, in bytes.
const PAGE_BYTES_MAX: usize = 512 * 1024;

/// What all such pages share.
pub(crate) struct Live {
    room: Arc<Semaphore>,
    stopping: CancellationToken,
}

impl Live {
    pub(crate) fn new(stopping: CancellationToken) -> Live {
        Live {
            room: Arc::new(Semaphore::new(PAGES_MAX)),
            stopping,
        }
    }
}

/// A page and what was sent of it last.
struct Watched {
    request: http::request::Parts,
    next: Next,
    stopping: CancellationToken,
    sent: Option<[u8; 32]>,
    looks: u32,
    _room: OwnedSemaphorePermit,
}

/// Answers requests for a stream; leaves all others to the page.
pub(crate) async fn keep_up(
    State(live): State<Arc<Live>>,
    request: Request,
    next: Next,
) -> Response {
    let accept = request.headers().get(header::ACCEPT);
    let wants_stream = accept.is_some_and(|accept| accept == "text/event-stream");
    if !wants_stream || request.method() != Method::GET {
        return next.run(request).await;
    }
    let Ok(room) = live.room.clone().try_acquire_owned() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let (mut request, _) = request.into_parts();
    request.headers.remove(header::ACCEPT);
    let stopping = live.stopping.clone();
    let watched = Watched {
        request,
        next,
        stopping,
        sent: None,
        looks: 0,
        _room: room,
    };
    let events = stream::unfold(watched, |mut watched| async {
        let event = watched.next_event().await?;
        Some((Ok::<_, std::convert::Infallible>(event), watched))
    });
    let mut answer = Response::new(Body::from_stream(events));
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers would keep the events back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    answer
}

impl Watched {
    /// The page if it has changed, or a line that shows that the connection lives; nothing at the end.
    async fn next_event(&mut self) -> Option<Bytes> {
        if self.looks > 0 {
            let pause = tokio::time::sleep(Duration::from_millis(EVERY_MILLISECONDS));
            tokio::select! {
                () = self.stopping.cancelled() => return None,
                () = pause => {}
            }
        }
        self.looks += 1;
        if self.looks > LOOKS_MAX {
            return None;
        }
        let mut request = Request::from_parts(self.request.clone(), Body::empty());
        // A page that is left open must not keep the session of whoever left.
        request.extensions_mut().insert(Use::Unattended);
        let answer = self.next.clone().run(request).await;
        if answer.status() != StatusCode::OK {
            return None;
        }
        let page = axum::body::to_bytes(answer.into_body(), PAGE_BYTES_MAX)
            .await
            .ok()?;
        let hash: [u8; 32] = Sha256::digest(&page).into();
        if self.sent.replace(hash) == Some(hash) {
            return Some(Bytes::from_static(b":\n\n"));
        }
        Some(event(&String::from_utf8_lossy(&page)))
    }
}

/// A page as an event: each line of it under `data`.
fn event(page: &str) -> Bytes {
    let mut event = String::with_capacity(page.len() + 64);
    for line in page.lines() {
        event.push_str("data: ");
        event.push_str(line);
        event.push('\n');
    }
    event.push('\n');
    event.into()
}
