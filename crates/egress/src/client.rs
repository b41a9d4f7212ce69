//! The client: its configuration, the deadline of an exchange, and the record of one.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::destination::{CallbackUrl, EgressPolicy};
use http::HeaderMap;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::exchange::{self, Answer};
use crate::fault::Fault;
use crate::pool::{Pool, PoolLimits};
use crate::resolve::{self, Resolver};
use crate::tls::{self, ConfigFault};

/// What answers a request: its URL, headers and body.
pub type Answering = dyn Fn(&CallbackUrl, &HeaderMap, &Bytes) -> Answer + Send + Sync;

/// A host that is answered in this process, in place of any network: nothing is resolved, and no socket is opened.
#[derive(Clone)]
pub struct InProcess {
    /// The host, exactly.
    pub host: String,
    /// Answers a request at once.
    pub answer: Arc<Answering>,
}

impl fmt::Debug for InProcess {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "InProcess({})", self.host)
    }
}

/// What a [`Client`] is made from.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The addresses that may be reached.
    pub policy: EgressPolicy,
    /// Certificate authorities to trust beside Mozilla's, in PEM form.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// Where the addresses of names come from.
    pub resolver: Resolver,
    /// The bounds of the idle connections that are kept.
    pub pool: PoolLimits,
    /// A host that is not reached by any network.
    pub in_process: Option<InProcess>,
}

impl Default for ClientConfig {
    /// Public addresses, Mozilla's authorities, the system's resolver.
    fn default() -> ClientConfig {
        ClientConfig {
            policy: EgressPolicy::default(),
            extra_ca_pem: None,
            resolver: Resolver::system(),
            pool: PoolLimits::default(),
            in_process: None,
        }
    }
}

/// Sends webhook deliveries. Clones share their idle connections.
#[derive(Clone)]
pub struct Client {
    parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) policy: EgressPolicy,
    pub(crate) resolver: Resolver,
    pub(crate) tls: TlsConnector,
    pub(crate) pool: Arc<Pool>,
    in_process: Option<InProcess>,
}

/// What happened in one exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The answer, if at least its head came.
    pub result: Result<Answer, Fault>,
    /// How long each phase took.
    pub timing: Timing,
    /// The address that was connected to, or tried last.
    pub address: Option<SocketAddr>,
    /// Whether the request went over a connection that was open already.
    pub reused: bool,
}

/// How long the phases of an exchange took; a phase that did not end or was not needed has no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Resolving the name; none for a literal address or a reused connection.
    pub resolve: Option<Duration>,
    /// Connecting, failed addresses included; none for a reused connection.
    pub connect: Option<Duration>,
    /// The TLS handshake; none for http or a reused connection.
    pub tls: Option<Duration>,
    /// From sending the request until the head of the answer was there.
    pub first_byte: Option<Duration>,
    /// The whole exchange.
    pub total: Duration,
}

/// What an exchange is busy with, as told when its deadline passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Looking up the host name.
    Resolving,
    /// Connecting to an address.
    Connecting,
    /// Protecting the connection.
    Securing,
    /// Sending the request and waiting for the head of an answer.
    Answering,
}

/// How far an exchange has come; what it holds outlives the deadline.
pub(crate) struct Progress {
    pub(crate) deadline: Instant,
    pub(crate) phase: Phase,
    pub(crate) timing: Timing,
    pub(crate) address: Option<SocketAddr>,
    pub(crate) reused: bool,
    pub(crate) answer: Option<Answer>,
}

impl Client {
    /// Makes a client. No connection is opened and no task started before the first exchange.
    ///
    /// # Errors
    /// When the extra certificate authorities cannot be read.
    pub fn new(config: ClientConfig) -> Result<Client, ConfigFault> {
        let parts = Parts {
            policy: config.policy,
            resolver: config.resolver,
            tls: tls::connector(config.extra_ca_pem.as_deref())?,
            pool: Pool::new(config.pool),
            in_process: config.in_process,
        };
        Ok(Client {
            parts: Arc::new(parts),
        })
    }

    /// POSTs a body to the URL and reads the answer, all within `timeout`.
    ///
    /// The timeout covers resolving, connecting, TLS, sending, head and body together. Once the head
    /// has come, the answer stands, whatever becomes of its body. Headers of the connection itself
    /// (see [`crate::is_set_by_egress`]) are dropped from `headers`.
    pub async fn post(
        &self,
        url: &CallbackUrl,
        headers: HeaderMap,
        body: Bytes,
        timeout: Duration,
    ) -> Exchange {
        let started = Instant::now();
        let mut progress = Progress::new(started + timeout);
        if let Some(here) = self.in_process(url) {
            progress.answer = Some((here.answer)(url, &headers, &body));
            return progress.conclude(Some(Ok(())), started.elapsed());
        }
        let run = exchange::run(&self.parts, url, headers, body, &mut progress);
        let ended = tokio::time::timeout_at(started + timeout, run).await;
        progress.conclude(ended.ok(), started.elapsed())
    }

    /// Resolves the URL's host and checks its addresses, without connecting: what can be said of a
    /// callback before its first delivery.
    ///
    /// # Errors
    /// [`Fault::Resolve`] and [`Fault::Refused`], as an exchange would have them now.
    pub async fn check(&self, url: &CallbackUrl) -> Result<(), Fault> {
        let parts = &self.parts;
        if self.in_process(url).is_some() {
            return Ok(());
        }
        let addresses = resolve::addresses(&parts.resolver, &parts.policy, url).await;
        addresses.map(|_| ())
    }

    fn in_process(&self, url: &CallbackUrl) -> Option<&InProcess> {
        let here = self.parts.in_process.as_ref()?;
        (url.authority() == here.host).then_some(here)
    }

    /// How many open connections wait for a next exchange. Counts one by one: for metrics, not for
    /// each exchange.
    pub fn idle_connections(&self) -> usize {
        self.parts.pool.open_count()
    }

    /// Closes the connections that wait for a next exchange; those in use are not touched.
    pub fn close_idle(&self) {
        self.parts.pool.clear();
    }
}

impl Progress {
    fn new(deadline: Instant) -> Progress {
        Progress {
            deadline,
            phase: Phase::Resolving,
            timing: Timing::default(),
            address: None,
            reused: false,
            answer: None,
        }
    }

    /// The record of the exchange; `ended` is absent when the deadline came first.
    fn conclude(self, ended: Option<Result<(), Fault>>, total: Duration) -> Exchange {
        let result = match (self.answer, ended) {
            (Some(answer), _) => Ok(answer),
            (None, Some(Err(fault))) => Err(fault),
            (None, _) => Err(Fault::TimedOut(self.phase)),
        };
        let timing = Timing {
            total,
            ..self.timing
        };
        Exchange {
            result,
            timing,
            address: self.address,
            reused: self.reused,
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Phase::Resolving => "resolving the host name",
            Phase::Connecting => "connecting",
            Phase::Securing => "protecting the connection (TLS)",
            Phase::Answering => "waiting for an answer",
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client").finish_non_exhaustive()
    }
}
