//! The system's clock: the only place where the real time is asked for.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use delivery::Timer;
use domain::time::{Clock, Moment};
use futures_util::future::BoxFuture;
use tokio::time::Instant;

/// Longest single wait in seconds; the wall clock is looked at again after each, since it may jump.
const WAIT_SECONDS_MAX: u64 = 1;

/// The beginning of the steady clock.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The time of the machine.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else is given"
    )]
    fn now(&self) -> Moment {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        Moment::EPOCH + since.unwrap_or(Duration::ZERO)
    }
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
