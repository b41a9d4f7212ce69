//! A connection over HTTP/2, shared by concurrent exchanges: each is one stream.
//!
//! No pings are sent. An exchange that its deadline ends retires the connection: those under way go
//! on, no further one is begun, so that a receiver that fell silent costs each exchange at most once.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::connection::Unanswered;
use crate::exchange::ANSWER_HEAD_LIST_BYTES_MAX;
use crate::fault::{Fault, ProtocolFault, was_not_processed};

/// The most exchanges at once over one connection, whatever more the receiver allows: what common
/// servers advertise. A connection that breaks takes no more than these with it.
pub const STREAMS_MAX: usize = 100;
/// After this the next exchange opens a successor, which those behind it find first. Were it left to the
/// pool's bound on age, all exchanges of that moment would open one each.
const SUCCESSOR_SECONDS: u64 = 240;
/// How much of one answer's body may come before it is read: what is read of one, rounded up.
const STREAM_WINDOW_BYTES: u32 = 64 * 1_024;
/// How much of all bodies together may come before it is read, which bounds the memory of a connection.
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1_024;
/// How much of a request may wait to be written: a payload of usual size, whole.
const SEND_BUFFER_BYTES_MAX: usize = 64 * 1_024;

/// A connection, kept as long as the pool or a stream refers to it.
pub(crate) struct Shared {
    sender: SendRequest<Full<Bytes>>,
    address: SocketAddr,
    pub(crate) opened_at: Instant,
    /// How many streams the receiver allows, as last heard.
    streams_allowed: Arc<AtomicUsize>,
    load: Mutex<Load>,
    /// Ends all tasks of the connection.
    cut: CancellationToken,
}

struct Load {
    streams: usize,
    idle_since: Instant,
    has_successor: bool,
    is_retired: bool,
}

/// The right to one exchange over a shared connection.
pub(crate) struct Stream {
    shared: Arc<Shared>,
    is_finished: bool,
}

impl Shared {
    /// Starts the tasks that drive this connection for as long as it lives.
    pub(crate) async fn open<T>(stream: T, address: SocketAddr) -> Result<Arc<Shared>, Fault>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let tasks = Tasks {
            cut: CancellationToken::new(),
        };
        let (sender, mut driver) = Builder::new(tasks.clone())
            .initial_max_send_streams(STREAMS_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
            .max_header_list_size(ANSWER_HEAD_LIST_BYTES_MAX)
            .handshake::<_, Full<Bytes>>(TokioIo::new(stream))
            .await?;
        let streams_allowed = Arc::new(AtomicUsize::new(STREAMS_MAX));
        let heard = streams_allowed.clone();
        tasks.start(poll_fn(move |context| {
            let driven = Pin::new(&mut driver).poll(context);
            heard.store(driver.current_max_send_streams(), Ordering::Relaxed);
            // Its error is not lost: hyper gives the same one to the requests that it concerns.
            driven.map(drop)
        }));
        Ok(Arc::new(Shared {
            sender,
            address,
            opened_at: Instant::now(),
            streams_allowed,
            load: Mutex::new(Load {
                streams: 0,
                idle_since: Instant::now(),
                has_successor: false,
                is_retired: false,
            }),
            cut: tasks.cut,
        }))
    }

    /// A stream for one more exchange, if there is room.
    pub(crate) fn stream(self: &Arc<Self>) -> Option<Stream> {
        let allowed = self.streams_allowed.load(Ordering::Relaxed);
        let mut load = self.load();
        if load.streams >= allowed.min(STREAMS_MAX) {
            return None;
        }
        let is_old = self.opened_at.elapsed() >= Duration::from_secs(SUCCESSOR_SECONDS);
        if is_old && !load.has_successor {
            load.has_successor = true;
            return None;
        }
        load.streams += 1;
        Some(Stream {
            shared: self.clone(),
            is_finished: false,
        })
    }

    /// Whether further exchanges may begin, for all that is known.
    pub(crate) fn is_open(&self) -> bool {
        !self.sender.is_closed() && !self.load().is_retired
    }

    /// For how long no exchange has been under way; none while one is.
    pub(crate) fn idle_for(&self, now: Instant) -> Option<Duration> {
        let load = self.load();
        (load.streams == 0).then(|| now.duration_since(load.idle_since))
    }

    /// Nothing under the lock can leave the load half changed, so poison is no reason to stop.
    fn load(&self) -> MutexGuard<'_, Load> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// hyper closes a connection politely when its last sender goes. One that was retired is cut: a
/// receiver that neither reads nor sends could hold its tasks for ever.
impl Drop for Shared {
    fn drop(&mut self) {
        if self.load().is_retired {
            self.cut.cancel();
        }
    }
}

impl Stream {
    pub(crate) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Unanswered> {
        // Of a request that the receiver has refused, hyper has nothing left to give back.
        let again = request.clone();
        let request = match without_connection(request) {
            Ok(request) => request,
            Err(fault) => return Err(self.unanswered(fault, None)),
        };
        let sent = self.shared.sender.clone().try_send_request(request).await;
        sent.map_err(|mut error| {
            let is_unsent = error.take_message().is_some() || was_not_processed(error.error());
            self.unanswered(error.into_error().into(), is_unsent.then_some(again))
        })
    }

    /// Notes that the exchange has come to an end: what else ends it is the deadline.
    pub(crate) fn finish(&mut self) {
        self.is_finished = true;
    }

    fn unanswered(&mut self, fault: Fault, unsent: Option<Request<Full<Bytes>>>) -> Unanswered {
        self.finish();
        Unanswered {
            fault,
            unsent: unsent.map(Box::new),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut load = self.shared.load();
        load.streams -= 1;
        load.idle_since = Instant::now();
        load.is_retired |= !self.is_finished;
    }
}

/// The request as HTTP/2 has it: scheme and host are part of its target (RFC 9113 section 8.3.1).
/// Headers of the connection are not there; the exchange drops a caller's.
fn without_connection(mut request: Request<Full<Bytes>>) -> Result<Request<Full<Bytes>>, Fault> {
    let inexpressible = || Fault::Protocol(ProtocolFault::Request);
    let host = request.headers_mut().remove(header::HOST);
    let host = host.ok_or_else(inexpressible)?;
    let mut target = Parts::default();
    target.scheme = Some(Scheme::HTTPS);
    target.authority = Some(Authority::try_from(host.as_bytes()).map_err(|_| inexpressible())?);
    target.path_and_query = request.uri().path_and_query().cloned();
    *request.uri_mut() = Uri::from_parts(target).map_err(|_| inexpressible())?;
    Ok(request)
}

/// Starts what hyper needs for a connection and its streams, so that all of it can be ended at once.
#[derive(Clone)]
struct Tasks {
    cut: CancellationToken,
}

impl Tasks {
    fn start(&self, task: impl Future<Output: Send> + Send + 'static) {
        let cut = self.cut.clone();
        tokio::spawn(async move { drop(cut.run_until_cancelled_owned(task).await) });
    }
}

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.start(task);
    }
}
