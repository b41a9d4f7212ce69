//! A connection over HTTP/1.1: one exchange at a time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::connection::Unanswered;
use crate::exchange::{ANSWER_HEAD_BYTES_MAX, READ_BUFFER_BYTES_MAX};
use crate::fault::Fault;

/// How long a connection may take to become free after its answer: it is free at once unless its
/// driver is still running on another thread, or the receiver answered without reading the request.
const SETTLE_MILLISECONDS_MAX: u64 = 50;

/// An open connection, with the task that drives it.
pub(crate) struct Http1 {
    sender: SendRequest<Full<Bytes>>,
    pub(crate) address: SocketAddr,
    pub(crate) opened_at: Instant,
    driver: AbortHandle,
}

impl Http1 {
    /// Starts the one task that drives this connection for as long as it lives.
    pub(crate) async fn open<T>(stream: T, address: SocketAddr) -> Result<Http1, Fault>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        // The number of headers is left at hyper's 100: setting it costs an allocation per answer.
        let (sender, driver) = Builder::new()
            .max_buf_size(READ_BUFFER_BYTES_MAX)
            .max_header_size(ANSWER_HEAD_BYTES_MAX)
            .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await?;
        // Its error is not lost: hyper gives the same one to the request that it concerns.
        let driver = tokio::spawn(async move { drop(driver.await) }).abort_handle();
        Ok(Http1 {
            sender,
            address,
            opened_at: Instant::now(),
            driver,
        })
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let sent = self.sender.try_send_request(request).await;
        sent.map_err(|mut error| Unanswered {
            unsent: error.take_message().map(Box::new),
            fault: error.into_error().into(),
        })
    }

    /// Whether the connection is free for another request.
    pub(crate) async fn settles(&mut self) -> bool {
        if self.sender.is_ready() {
            return true;
        }
        let ready = self.sender.ready();
        let patience = Duration::from_millis(SETTLE_MILLISECONDS_MAX);
        matches!(tokio::time::timeout(patience, ready).await, Ok(Ok(())))
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }
}

/// Between requests hyper closes a connection politely when its sender goes. In the middle of an
/// exchange it is cut: a receiver that neither reads nor sends could hold the driver for ever.
impl Drop for Http1 {
    fn drop(&mut self) {
        if !self.sender.is_ready() {
            self.driver.abort();
        }
    }
}
