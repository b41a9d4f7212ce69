//! A receiver of webhooks on loopback: keeps what arrives, answers as the test says.

mod reply;
mod script;
mod serve;

pub use reply::{Answer, Gate, Reply};

use std::net::SocketAddr;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use domain::time::Moment;
use http::{HeaderMap, Method};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::verify::{Unverified, verify};
use script::Script;

/// How long a condition may take to come true: far more than any test needs on a busy machine.
const WAIT: Duration = Duration::from_secs(20);

/// A request as it arrived, its body whole.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// What follows the question mark.
    pub query: Option<String>,
    /// All headers.
    pub headers: HeaderMap,
    /// The bytes of the body.
    pub body: Bytes,
}

/// A scriptable HTTP/1.1 server on 127.0.0.1. Dropping it closes its port and its connections.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

/// What the test and the connections share.
#[derive(Debug, Default)]
struct Shared {
    script: Mutex<Script>,
    seen: watch::Sender<Seen>,
}

/// What happened so far.
#[derive(Debug, Default)]
struct Seen {
    requests: Vec<Received>,
    /// By path: how many are not answered, and the most that there were.
    in_flight: std::collections::HashMap<String, InFlight>,
}

/// Requests that have arrived and are not answered.
#[derive(Clone, Copy, Debug, Default)]
struct InFlight {
    now: usize,
    most: usize,
}

impl Received {
    /// The header of this name, if it is there and text; of several, the first.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Checks its signature as a receiver that holds `secret` (`whsec_…`) does at `now`.
    ///
    /// # Errors
    /// [`Unverified`], the first reason found.
    pub fn verify(&self, secret: &str, now: Moment) -> Result<(), Unverified> {
        verify(secret, now, &self.headers, &self.body)
    }
}

impl Receiver {
    /// Listens on a free port and answers 200 to everything, until told otherwise.
    pub async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has a free port");
        let shared = Arc::<Shared>::default();
        Receiver {
            address: listener.local_addr().expect("it is bound"),
            serving: tokio::spawn(serve::serve(listener, shared.clone())),
            shared,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on answers so wherever nothing else is said; drops what was queued for any path.
    pub fn reply(&self, reply: impl Into<Reply>) {
        self.script(|script| script.any.set(reply.into()));
    }

    /// From now on answers so at this path; drops what was queued for it.
    pub fn reply_at(&self, path: &str, reply: impl Into<Reply>) {
        self.script(|script| script.at(path).set(reply.into()));
    }

    /// Answers the next requests so, one each, at paths of which nothing is said; then as before.
    pub fn queue<R: Into<Reply>>(&self, replies: impl IntoIterator<Item = R>) {
        self.script(|script| script.any.queue(replies.into_iter().map(Into::into)));
    }

    /// Answers the next requests at this path so, one each; then as before.
    pub fn queue_at<R: Into<Reply>>(&self, path: &str, replies: impl IntoIterator<Item = R>) {
        self.script(|script| script.at(path).queue(replies.into_iter().map(Into::into)));
    }

    /// What arrived so far, in that order.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.seen.borrow().requests.clone()
    }

    /// How many requests at this path are not answered yet, those behind a gate among them.
    pub fn in_flight(&self, path: &str) -> usize {
        self.shared.in_flight(path).now
    }

    /// The most requests at this path that were unanswered at the same time.
    pub fn in_flight_most(&self, path: &str) -> usize {
        self.shared.in_flight(path).most
    }

    /// Waits until what arrived so far meets the condition, and gives it. Its deadline is the runtime's time, so it
    /// must not be waited for under a paused one.
    ///
    /// # Panics
    /// After 20 seconds, with the caller's place and what has arrived.
    #[track_caller]
    pub fn wait_for(
        &self,
        mut is_met: impl FnMut(&[Received]) -> bool,
    ) -> impl Future<Output = Vec<Received>> {
        let caller = Location::caller();
        async move {
            let mut seen = self.shared.seen.subscribe();
            let met = seen.wait_for(|seen| is_met(&seen.requests));
            match tokio::time::timeout(WAIT, met).await {
                Ok(Ok(seen)) => seen.requests.clone(),
                _ => panic!(
                    "the condition at {caller} was not met within {WAIT:?}; arrived: {:#?}",
                    self.requests()
                ),
            }
        }
    }

    /// Waits until so many requests have arrived, or more, and gives them. See [`Receiver::wait_for`].
    #[track_caller]
    pub fn wait_for_count(&self, count: usize) -> impl Future<Output = Vec<Received>> {
        self.wait_for(move |requests| requests.len() >= count)
    }

    fn script(&self, change: impl FnOnce(&mut Script)) {
        self.shared.script(change);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    fn script<T>(&self, with: impl FnOnce(&mut Script) -> T) -> T {
        // A test that panicked in here has failed already.
        with(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn in_flight(&self, path: &str) -> InFlight {
        let seen = self.seen.borrow();
        seen.in_flight.get(path).copied().unwrap_or_default()
    }
}
