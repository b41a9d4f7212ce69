//! How many requests a subscription takes in a second.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Moment;

/// Fewest requests a second: one in ten seconds.
pub const PER_SECOND_MIN: f64 = 0.1;
/// Most requests a second.
pub const PER_SECOND_MAX: f64 = 10_000.0;
/// Most requests that may follow one another at once.
pub const BURST_MAX: u32 = 10_000;

/// A limit: so many a second on average, and so many at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// On average, from [`PER_SECOND_MIN`] to [`PER_SECOND_MAX`].
    pub per_second: f64,
    /// At once, from 1 to [`BURST_MAX`].
    pub burst: u32,
}

impl RateLimit {
    /// A limit that says nothing of bursts: a second's worth at once, at least one.
    pub fn burst_of(per_second: f64) -> u32 {
        // In bounds by those of `per_second`.
        per_second.ceil().clamp(1.0, f64::from(BURST_MAX)) as u32
    }

    fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.per_second.clamp(PER_SECOND_MIN, PER_SECOND_MAX))
    }
}

/// What was spent of a limit (the generic cell rate algorithm: ITU-T I.371, annex A): when the next request
/// would be due if all came evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    even: Option<Moment>,
}

impl Spent {
    /// When the next request may go; nothing if that is now.
    ///
    /// After the clock was set back, or the limit was another one before, nobody waits for longer than a request
    /// takes at this rate.
    pub fn wait_until(&mut self, limit: &RateLimit, now: Moment) -> Option<Moment> {
        let even = self.even?.min(latest(limit, now));
        self.even = Some(even);
        let may_at = even - limit.interval().saturating_mul(limit.burst.max(1) - 1);
        (may_at > now).then_some(may_at)
    }

    /// Spends a request.
    pub fn spend(&mut self, limit: &RateLimit, now: Moment) {
        let even = self.even.map_or(now, |even| even.max(now));
        self.even = Some(even.min(latest(limit, now)) + limit.interval());
    }
}

/// What a whole burst that was spent at this moment comes to.
fn latest(limit: &RateLimit, now: Moment) -> Moment {
    now + limit.interval().saturating_mul(limit.burst.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Moment = Moment::from_microseconds(1_800_000_000_000_000);

    fn at(milliseconds: u64) -> Moment {
        START + Duration::from_millis(milliseconds)
    }

    /// When each of so many requests goes if they go as soon as they may, in milliseconds.
    fn times(limit: RateLimit, count: usize) -> Vec<u64> {
        let mut spent = Spent::default();
        let mut now = START;
        let mut times = Vec::new();
        for _ in 0..count {
            now = spent.wait_until(&limit, now).unwrap_or(now);
            spent.spend(&limit, now);
            times.push(now.since(START).as_millis() as u64);
        }
        times
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_evenly() {
        let limit = |per_second, burst| RateLimit { per_second, burst };
        assert_eq!(times(limit(10.0, 1), 4), [0, 100, 200, 300]);
        assert_eq!(times(limit(10.0, 3), 5), [0, 0, 0, 100, 200]);
        assert_eq!(times(limit(0.1, 1), 3), [0, 10_000, 20_000]);
    }

    #[test]
    fn a_rest_earns_a_burst_and_no_more() {
        let limit = RateLimit {
            per_second: 10.0,
            burst: 2,
        };
        let mut spent = Spent::default();
        for _ in 0..2 {
            spent.spend(&limit, START);
        }
        assert_eq!(spent.wait_until(&limit, at(50)), Some(at(100)));
        // Long after, two go at once and the third waits.
        for _ in 0..2 {
            assert_eq!(spent.wait_until(&limit, at(60_000)), None);
            spent.spend(&limit, at(60_000));
        }
        assert_eq!(spent.wait_until(&limit, at(60_000)), Some(at(60_100)));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up_for_long() {
        let limit = RateLimit {
            per_second: 1.0,
            burst: 1,
        };
        let mut spent = Spent::default();
        spent.spend(&limit, at(1_000_000));
        assert_eq!(spent.wait_until(&limit, START), Some(at(1_000)));
        assert_eq!(spent.wait_until(&limit, at(500)), Some(at(1_000)));
        assert_eq!(spent.wait_until(&limit, at(1_000)), None);
        spent.spend(&limit, at(1_000));
        assert_eq!(spent.wait_until(&limit, at(1_000)), Some(at(2_000)));
    }

    #[test]
    fn a_faster_limit_counts_at_once() {
        let limit = |per_second, burst| RateLimit { per_second, burst };
        let mut spent = Spent::default();
        for _ in 0..3 {
            spent.spend(&limit(0.1, 3), START);
        }
        assert_eq!(spent.wait_until(&limit(0.1, 3), START), Some(at(10_000)));
        assert_eq!(spent.wait_until(&limit(10.0, 3), START), Some(at(100)));
        assert_eq!(spent.wait_until(&limit(10.0, 3), at(100)), None);
    }

    #[test]
    fn without_a_burst_a_second_is_worth_one() {
        for (per_second, burst) in [(0.1, 1), (1.0, 1), (2.5, 3), (10_000.0, 10_000)] {
            assert_eq!(RateLimit::burst_of(per_second), burst);
        }
    }
}
