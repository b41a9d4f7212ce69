//! How often somebody may try something.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::time::Moment;
use moka::sync::Cache;

use crate::denied::Denied;

/// Tries that one source has in a minute.
const TRIES_PER_WINDOW_MAX: usize = 10;
/// The window in which they count.
const WINDOW: Duration = Duration::from_secs(60);
/// Sources that are watched; beyond that, those that tried longest ago are forgotten.
const SOURCES_MAX: u64 = 100_000;

/// Counts tries by source, such as an address or an account, in memory: a restart forgives.
pub(crate) struct Throttle {
    tries: Cache<String, Arc<Mutex<VecDeque<Moment>>>>,
}

impl Throttle {
    pub(crate) fn new() -> Throttle {
        Throttle {
            tries: Cache::new(SOURCES_MAX),
        }
    }

    /// Counts a try, unless the source has had as many as it may; refused ones do not count.
    ///
    /// # Errors
    /// [`Denied::TooMany`] with the seconds until the next one is welcome.
    pub(crate) fn admit(&self, source: &str, now: Moment) -> Result<(), Denied> {
        let tries = self.tries.get_with(source.to_owned(), Arc::default);
        let mut tries = tries.lock().unwrap_or_else(PoisonError::into_inner);
        // What lies in the future was noted before the clock was set back.
        tries.retain(|at| *at <= now && now.since(*at) < WINDOW);
        if tries.len() < TRIES_PER_WINDOW_MAX {
            tries.push_back(now);
            return Ok(());
        }
        let oldest = tries.front().copied().unwrap_or(now);
        let left = WINDOW.saturating_sub(now.since(oldest));
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        Err(Denied::TooMany {
            retry_after_seconds: u32::try_from(seconds.max(1)).unwrap_or(u32::MAX),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_try_within_a_minute_is_refused() {
        let throttle = Throttle::new();
        let start = Moment::from_microseconds(1_000_000_000);
        let second = Duration::from_secs(1);
        for number in 0..10 {
            assert_eq!(throttle.admit("a", start + second * number), Ok(()));
        }
        let refused = |seconds| {
            Err(Denied::TooMany {
                retry_after_seconds: seconds,
            })
        };
        assert_eq!(throttle.admit("a", start + second * 10), refused(50));
        assert_eq!(throttle.admit("b", start + second * 10), Ok(()));
        let just_before = start + second * 59 + Duration::from_millis(999);
        assert_eq!(throttle.admit("a", just_before), refused(1));
        assert_eq!(throttle.admit("a", start + second * 60), Ok(()));
        assert_eq!(throttle.admit("a", start + second * 60), refused(1));
        // A clock that is set back locks nobody out.
        assert_eq!(throttle.admit("a", start - second), Ok(()));
    }
}
