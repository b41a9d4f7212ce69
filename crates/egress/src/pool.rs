//! Idle connections, kept by origin for the next exchange: last in, first out.
//!
//! The last one returned is the least likely to have been closed meanwhile, and the surplus after a
//! burst ages out at the bottom. No task watches a single connection: the driver that hyper needs
//! notices a close, and one sweeper for all drops what is stale while there is anything to sweep.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use domain::destination::Origin;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// The most idle connections of one origin. Many subscriptions can share one (a provider of automation, say), each
/// with up to 100 requests in flight; with fewer kept, each round of deliveries would open connections anew.
pub const IDLE_PER_ORIGIN_MAX: usize = 1_024;
/// The most idle connections in all; each costs a file and up to 17 KiB.
pub const IDLE_MAX: usize = 4_096;
/// How long a connection may be idle: less than most servers and middle-boxes allow.
pub const IDLE_SECONDS_MAX: u64 = 30;
/// How long a connection is reused at all, so that changes of a name's addresses are followed.
const AGE_SECONDS_MAX: u64 = 300;
/// How often stale connections are looked for: idle ones outlive their bound by this at most.
const SWEEP_SECONDS: u64 = 5;

/// The bounds of the pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// See [`IDLE_PER_ORIGIN_MAX`].
    pub idle_per_origin: usize,
    /// See [`IDLE_MAX`].
    pub idle: usize,
    /// See [`IDLE_SECONDS_MAX`].
    pub idle_for: Duration,
}

impl Default for PoolLimits {
    fn default() -> PoolLimits {
        PoolLimits {
            idle_per_origin: IDLE_PER_ORIGIN_MAX,
            idle: IDLE_MAX,
            idle_for: Duration::from_secs(IDLE_SECONDS_MAX),
        }
    }
}

/// An open connection, with the task that drives it.
pub(crate) struct Connection {
    pub(crate) sender: SendRequest<Full<Bytes>>,
    pub(crate) address: SocketAddr,
    driver: AbortHandle,
    opened_at: Instant,
}

impl Connection {
    pub(crate) fn new(
        sender: SendRequest<Full<Bytes>>,
        address: SocketAddr,
        driver: AbortHandle,
    ) -> Connection {
        Connection {
            sender,
            address,
            driver,
            opened_at: Instant::now(),
        }
    }
}

/// Between requests hyper closes a connection politely when its sender goes. In the middle of an
/// exchange it is cut: a receiver that neither reads nor sends could hold the driver for ever.
impl Drop for Connection {
    fn drop(&mut self) {
        if !self.sender.is_ready() {
            self.driver.abort();
        }
    }
}

pub(crate) struct Pool {
    limits: PoolLimits,
    shelves: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    idle: HashMap<Origin, Vec<Idle>>,
    count: usize,
    is_swept: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    pub(crate) fn new(limits: PoolLimits) -> Arc<Pool> {
        Arc::new(Pool {
            limits,
            shelves: Mutex::default(),
        })
    }

    /// The connection of this origin that was returned last and is still good.
    pub(crate) fn take(&self, origin: &Origin) -> Option<Connection> {
        let now = Instant::now();
        let mut shelves = self.lock();
        let Shelves { idle, count, .. } = &mut *shelves;
        let shelf = idle.get_mut(origin)?;
        while let Some(candidate) = shelf.pop() {
            *count -= 1;
            if self.is_good(&candidate, now) {
                return Some(candidate.connection);
            }
        }
        None
    }

    /// Keeps a connection between requests, or drops it where a bound is reached.
    pub(crate) fn put(self: &Arc<Self>, origin: &Origin, connection: Connection) {
        let mut shelves = self.lock();
        if shelves.count >= self.limits.idle {
            return;
        }
        let idle = Idle {
            connection,
            since: Instant::now(),
        };
        // Looked up first, so that an origin that is known is not cloned for each exchange.
        match shelves.idle.get_mut(origin) {
            Some(shelf) if shelf.len() < self.limits.idle_per_origin => shelf.push(idle),
            None if self.limits.idle_per_origin > 0 => {
                shelves.idle.insert(origin.clone(), vec![idle]);
            }
            _ => return,
        }
        shelves.count += 1;
        if !shelves.is_swept {
            shelves.is_swept = true;
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// How many connections are idle and still open.
    pub(crate) fn open_count(&self) -> usize {
        let shelves = self.lock();
        let idle = shelves.idle.values().flatten();
        idle.filter(|idle| !idle.connection.sender.is_closed())
            .count()
    }

    /// Closes all idle connections.
    pub(crate) fn clear(&self) {
        let mut shelves = self.lock();
        shelves.idle.clear();
        shelves.count = 0;
    }

    /// Drops what is stale; whether the sweeper has to come again.
    fn drop_stale(&self, now: Instant) -> bool {
        let mut shelves = self.lock();
        shelves.idle.retain(|_, shelf| {
            shelf.retain(|idle| self.is_good(idle, now));
            !shelf.is_empty()
        });
        shelves.count = shelves.idle.values().map(Vec::len).sum();
        shelves.is_swept = shelves.count > 0;
        shelves.is_swept
    }

    fn is_good(&self, idle: &Idle, now: Instant) -> bool {
        !idle.connection.sender.is_closed()
            && now.duration_since(idle.since) < self.limits.idle_for
            && now.duration_since(idle.connection.opened_at) < Duration::from_secs(AGE_SECONDS_MAX)
    }

    /// Nothing under the lock can leave the shelves half changed, so poison is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs while there are idle connections and the pool is in use; started again by the next `put`.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(Duration::from_secs(SWEEP_SECONDS)).await;
        let Some(pool) = pool.upgrade() else { return };
        if !pool.drop_stale(Instant::now()) {
            return;
        }
    }
}
