//! A connection over HTTP/1.1: one exchange at a time.
//!
//! It has no task of its own (see [`crate::driver`]). Between exchanges it stands still, and [`Http1::is_open`] looks whether the
//! receiver has closed it.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use crate::connection::Unanswered;
use crate::driver::Driver;
use crate::exchange::{ANSWER_HEAD_BYTES_MAX, READ_BUFFER_BYTES_MAX};
use crate::fault::Fault;

/// How long a connection may take to become free after its answer: it is free at once unless the receiver
/// answered without reading the request.
const SETTLE_MILLISECONDS_MAX: u64 = 50;

/// An open connection. Dropped, it is closed, whatever it is in the middle of: a receiver that neither reads nor
/// sends could hold up anything more polite for ever.
pub(crate) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
    pub(crate) address: SocketAddr,
    pub(crate) opened_at: Instant,
}

impl Http1 {
    /// Begins to speak HTTP over a stream.
    pub(crate) async fn open<T>(stream: T, address: SocketAddr) -> Result<Http1, Fault>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // The number of headers is left at hyper's 100: setting it costs an allocation per answer.
        let (sender, connection) = Builder::new()
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .max_header_size(ANSWER_HEAD_BYTES_MAX)
            .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await?;
        Ok(Http1 {
            sender,
            driver: Driver::new(connection),
            address,
            opened_at: Instant::now(),
        })
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let answered = pin!(self.sender.try_send_request(request));
        let sent = self.driver.during(answered).await;
        sent.map_err(|mut error| Unanswered {
            unsent: error.take_message().map(Box::new),
            fault: error.into_error().into(),
        })
    }

    /// The next piece of an answer's body.
    pub(crate) async fn frame(
        &mut self,
        body: &mut Incoming,
    ) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        self.driver.during(pin!(body.frame())).await
    }

    /// Whether the connection is free for another request.
    pub(crate) async fn settles(&mut self) -> bool {
        if self.sender.is_ready() {
            return true;
        }
        let ready = pin!(self.sender.ready());
        let ready = self.driver.during(ready);
        let patience = Duration::from_millis(SETTLE_MILLISECONDS_MAX);
        matches!(tokio::time::timeout(patience, ready).await, Ok(Ok(())))
    }

    /// Whether it is still open, for all that has come in.
    pub(crate) fn is_open(&mut self) -> bool {
        self.driver.look();
        !self.sender.is_closed()
    }
}
