//! What an exchange goes over: a connection of its own, or a stream of a shared one.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};

use crate::fault::Fault;
use crate::http1::Http1;
use crate::http2::Stream;

/// A way to send one request.
pub(crate) enum Connection {
    /// A connection over HTTP/1.1, which carries one exchange at a time.
    Http1(Http1),
    /// A stream of a connection over HTTP/2, which carries many.
    Http2(Stream),
}

/// Why a request has no answer.
pub(crate) struct Unanswered {
    pub(crate) fault: Fault,
    /// The request, where the receiver certainly has not processed it.
    pub(crate) unsent: Option<Box<Request<Full<Bytes>>>>,
}

impl Connection {
    /// Sends a request, in the form of HTTP/1.1, and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        match self {
            Connection::Http1(connection) => connection.send(request).await,
            // Boxed: it is larger, and would make the future of each exchange as large.
            Connection::Http2(stream) => Box::pin(stream.send(request)).await,
        }
    }

    /// The next piece of the answer's body.
    pub(crate) async fn frame(
        &mut self,
        body: &mut Incoming,
    ) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        match self {
            Connection::Http1(connection) => connection.frame(body).await,
            Connection::Http2(_) => body.frame().await,
        }
    }

    /// The address that was connected to.
    pub(crate) fn address(&self) -> SocketAddr {
        match self {
            Connection::Http1(connection) => connection.address,
            Connection::Http2(stream) => stream.address(),
        }
    }
}
