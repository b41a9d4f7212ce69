//! Open connections, kept by origin for the next exchange: last in, first out.
//!
//! One over HTTP/1.1 is taken out for an exchange and put back after it; one over HTTP/2 stays, and
//! exchanges share it while it has room. The last one returned is the least likely to have been closed
//! meanwhile, and the surplus after a burst ages out at the bottom. No task watches a single connection: one sweeper for all drops
//! what is stale or closed while there is anything to sweep.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use domain::destination::Origin;
use tokio::time::Instant;

use crate::connection::Connection;
use crate::http1::Http1;
use crate::http2::Shared;

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

pub(crate) struct Pool {
    limits: PoolLimits,
    shelves: Mutex<Shelves>,
}

#[derive(Default)]
struct Shelves {
    by_origin: HashMap<Origin, Vec<Kept>>,
    count: usize,
    is_swept: bool,
}

enum Kept {
    Http1 { connection: Http1, since: Instant },
    Http2(Arc<Shared>),
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
        let Shelves {
            by_origin, count, ..
        } = &mut *shelves;
        let shelf = by_origin.get_mut(origin)?;
        for at in (0..shelf.len()).rev() {
            let is_good = self.is_good(&mut shelf[at], now);
            if let Kept::Http2(shared) = &shelf[at]
                && is_good
            {
                match shared.stream() {
                    Some(stream) => return Some(Connection::Http2(stream)),
                    None => continue,
                }
            }
            *count -= 1;
            if let Kept::Http1 { connection, .. } = shelf.remove(at)
                && is_good
            {
                return Some(Connection::Http1(connection));
            }
        }
        None
    }

    /// Keeps a connection between requests, or drops it where a bound is reached.
    pub(crate) fn put(self: &Arc<Self>, origin: &Origin, connection: Http1) {
        let since = Instant::now();
        self.keep(origin, Kept::Http1 { connection, since });
    }

    /// Offers a new connection to further exchanges, unless a bound is reached.
    pub(crate) fn share(self: &Arc<Self>, origin: &Origin, shared: Arc<Shared>) {
        self.keep(origin, Kept::Http2(shared));
    }

    fn keep(self: &Arc<Self>, origin: &Origin, kept: Kept) {
        let mut shelves = self.lock();
        if shelves.count >= self.limits.idle {
            return;
        }
        // Looked up first, so that an origin that is known is not cloned for each exchange.
        match shelves.by_origin.get_mut(origin) {
            Some(shelf) if shelf.len() < self.limits.idle_per_origin => shelf.push(kept),
            None if self.limits.idle_per_origin > 0 => {
                shelves.by_origin.insert(origin.clone(), vec![kept]);
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
        let now = Instant::now();
        let mut shelves = self.lock();
        let kept = shelves.by_origin.values_mut().flatten();
        kept.map(|kept| kept.is_open() && kept.idle_for(now).is_some())
            .filter(|is_idle| *is_idle)
            .count()
    }

    /// Closes all idle connections; those that exchanges share are closed after the last of these.
    pub(crate) fn clear(&self) {
        let mut shelves = self.lock();
        shelves.by_origin.clear();
        shelves.count = 0;
    }

    /// Drops what is stale; whether the sweeper has to come again.
    fn drop_stale(&self, now: Instant) -> bool {
        let mut shelves = self.lock();
        shelves.by_origin.retain(|_, shelf| {
            shelf.retain_mut(|kept| self.is_good(kept, now));
            !shelf.is_empty()
        });
        shelves.count = shelves.by_origin.values().map(Vec::len).sum();
        shelves.is_swept = shelves.count > 0;
        shelves.is_swept
    }

    fn is_good(&self, kept: &mut Kept, now: Instant) -> bool {
        let idle_for = kept.idle_for(now);
        kept.is_open()
            && idle_for.is_none_or(|idle_for| idle_for < self.limits.idle_for)
            && now.duration_since(kept.opened_at()) < Duration::from_secs(AGE_SECONDS_MAX)
    }

    /// Nothing under the lock can leave the shelves half changed, so poison is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_open(&mut self) -> bool {
        match self {
            Kept::Http1 { connection, .. } => connection.is_open(),
            Kept::Http2(shared) => shared.is_open(),
        }
    }

    /// For how long no exchange has gone over it; none while one does.
    fn idle_for(&self, now: Instant) -> Option<Duration> {
        match self {
            Kept::Http1 { since, .. } => Some(now.duration_since(*since)),
            Kept::Http2(shared) => shared.idle_for(now),
        }
    }

    fn opened_at(&self) -> Instant {
        match self {
            Kept::Http1 { connection, .. } => connection.opened_at,
            Kept::Http2(shared) => shared.opened_at,
        }
    }
}

/// Runs while there are connections and the pool is in use; started again by the next `put`.
async fn sweep(pool: Weak<Pool>) {
    loop {
        tokio::time::sleep(Duration::from_secs(SWEEP_SECONDS)).await;
        let Some(pool) = pool.upgrade() else { return };
        if !pool.drop_stale(Instant::now()) {
            return;
        }
    }
}
