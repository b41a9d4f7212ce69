//! One request and its answer over an open connection, read with bounds.

use bytes::Bytes;
use domain::destination::CallbackUrl;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use tokio::time::Instant;

use crate::client::{Parts, Phase, Progress};
use crate::connect;
use crate::connection::{Connection, Unanswered};
use crate::fault::{Fault, ProtocolFault};

/// How much of an answer's body is read: enough to reuse the connection after usual answers.
pub const ANSWER_BODY_BYTES_READ_MAX: usize = 16 * 1_024;
/// How much of it is kept for people to read.
pub const ANSWER_BODY_BYTES_KEPT: usize = 4 * 1_024;
/// The longest head of an answer: twice what common servers send at most.
pub const ANSWER_HEAD_BYTES_MAX: usize = 16 * 1_024;
/// The same over HTTP/2, where each header counts 32 bytes more (RFC 9113 section 6.5.2).
pub(crate) const ANSWER_HEAD_LIST_BYTES_MAX: u32 = 16 * 1_024;
/// The most that is read ahead from a connection, which bounds the memory of a hostile answer.
pub(crate) const READ_BUFFER_BYTES_MAX: usize = 64 * 1_024;

/// What the receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code; redirects included, since none is followed.
    pub status: u16,
    /// The headers, up to [`ANSWER_HEAD_BYTES_MAX`]; over HTTP/1.1 up to 100.
    pub headers: HeaderMap,
    /// The first [`ANSWER_BODY_BYTES_KEPT`] bytes of the body, as they came.
    pub body: Bytes,
    /// Whether the body went on, failed or did not end in time.
    pub body_truncated: bool,
}

/// Sends one request and reads its answer into `progress`.
///
/// A connection that was open already may have been closed by the receiver just now. Only when the
/// receiver certainly did not process the request is it sent again, on a fresh connection; otherwise
/// its first bytes may have done their work, and whether to repeat is for the delivery's schedule.
pub(crate) async fn run(
    parts: &Parts,
    url: &CallbackUrl,
    headers: HeaderMap,
    body: Bytes,
    progress: &mut Progress,
) -> Result<(), Fault> {
    let mut request = request(url, headers, body)?;
    if let Some(connection) = parts.pool.take(url.origin()) {
        progress.reused = true;
        match send(parts, url, connection, request, progress).await {
            Ok(()) => return Ok(()),
            Err(unanswered) => match unanswered.unsent {
                Some(unsent) => request = *unsent,
                None => return Err(unanswered.fault),
            },
        }
        progress.reused = false;
    }
    // Boxed: opening is rare and large, and would make the future of each exchange as large.
    let connection = Box::pin(connect::open(parts, url, progress)).await?;
    let sent = send(parts, url, connection, request, progress).await;
    sent.map_err(|unanswered| unanswered.fault)
}

fn request(
    url: &CallbackUrl,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, Fault> {
    let inexpressible = || Fault::Protocol(ProtocolFault::Request);
    let target = Uri::try_from(url.target()).map_err(|_| inexpressible())?;
    let host = HeaderValue::from_str(url.authority()).map_err(|_| inexpressible())?;
    remove_own(&mut headers);
    headers.insert(header::HOST, host);
    if body.is_empty() {
        // hyper writes the length of any other body itself (RFC 9110 section 8.6 wants it for a POST).
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target;
    *request.headers_mut() = headers;
    Ok(request)
}

/// Whether this header is the connection's business: a caller's value is dropped, because it could
/// change where a message ends, whom it is for, or whether its answer is compressed.
pub fn is_set_by_egress(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::HOST
            | header::CONTENT_LENGTH
            | header::TRANSFER_ENCODING
            | header::CONNECTION
            | header::TE
            | header::TRAILER
            | header::UPGRADE
            | header::EXPECT
            | header::ACCEPT_ENCODING
            | header::PROXY_AUTHORIZATION
    ) || matches!(name.as_str(), "keep-alive" | "proxy-connection")
}

fn remove_own(headers: &mut HeaderMap) {
    while let Some(name) = headers.keys().find(|name| is_set_by_egress(name)).cloned() {
        headers.remove(name);
    }
}

async fn send(
    parts: &Parts,
    url: &CallbackUrl,
    mut connection: Connection,
    request: Request<Full<Bytes>>,
    progress: &mut Progress,
) -> Result<(), Unanswered> {
    progress.phase = Phase::Answering;
    progress.address = Some(connection.address());
    let started = Instant::now();
    let response = connection.send(request).await?;
    progress.timing.first_byte = Some(started.elapsed());
    let is_whole = read(&mut connection, response, &mut progress.answer).await;
    match connection {
        Connection::Http1(mut connection) => {
            if is_whole && connection.settles().await {
                parts.pool.put(url.origin(), connection);
            }
        }
        Connection::Http2(mut stream) => stream.finish(),
    }
    Ok(())
}

/// Reads the answer, so that what has come so far stands in `answer` if the deadline interrupts.
/// Whether the body came to its end within bounds, which makes the connection fit for reuse.
async fn read(
    connection: &mut Connection,
    response: Response<Incoming>,
    answer: &mut Option<Answer>,
) -> bool {
    let (head, mut body) = response.into_parts();
    let answer = answer.insert(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: Bytes::new(),
        body_truncated: true,
    });
    let mut read_bytes = 0;
    while !body.is_end_stream() {
        let frame = match connection.frame(&mut body).await {
            None => break,
            Some(Ok(frame)) => frame,
            Some(Err(_)) => return false,
        };
        let Some(data) = frame.data_ref() else {
            continue;
        };
        read_bytes += data.len();
        keep(&mut answer.body, data);
        if read_bytes > ANSWER_BODY_BYTES_READ_MAX {
            return false;
        }
    }
    answer.body_truncated = read_bytes > ANSWER_BODY_BYTES_KEPT;
    true
}

/// Copies what is still to be kept: a slice would hold hyper's whole read buffer in memory.
fn keep(kept: &mut Bytes, data: &[u8]) {
    let wanted = data.len().min(ANSWER_BODY_BYTES_KEPT - kept.len());
    if wanted == 0 {
        return;
    }
    let mut joined = Vec::with_capacity(kept.len() + wanted);
    joined.extend_from_slice(kept);
    joined.extend_from_slice(&data[..wanted]);
    *kept = joined.into();
}
