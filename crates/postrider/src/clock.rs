//! The system's clock: the only place where the machine's time is asked for. Nodes of a database go by the database's.

use std::sync::{Arc, LazyLock, OnceLock};
use std::time::{Duration, SystemTime};

use delivery::Timer;
use domain::time::{Clock, Moment};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// Longest single wait in seconds; the wall clock is looked at again after each, since it may jump.
const WAIT_SECONDS_MAX: u64 = 1;

/// The beginning of the steady clock.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What is gone by in place of the machine's clock, once there is such a thing.
static FOLLOWED: OnceLock<Arc<dyn Clock>> = OnceLock::new();

/// Has this process go by another clock than the machine's: that of the database, which all of its nodes go by. The first one stays.
pub fn follow(clock: Arc<dyn Clock>) {
    FOLLOWED.get_or_init(|| clock);
}

/// The time of the machine, or of the database.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        FOLLOWED.get().map_or_else(machine, |clock| clock.now())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that everything else is given"
)]
fn machine() -> Moment {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Moment::EPOCH + since.unwrap_or(Duration::ZERO)
}

impl Timer for SystemClock {
    fn steady(&self) -> Duration {
        BEGAN.elapsed()
    }

    fn sleep_until(&self, at: Moment) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let (began, limit) = (Instant::now(), at.since(self.now()));
            loop {
                let left = at
                    .since(self.now())
                    .min(limit.saturating_sub(began.elapsed()));
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left.min(Duration::from_secs(WAIT_SECONDS_MAX))).await;
            }
        })
    }
}
