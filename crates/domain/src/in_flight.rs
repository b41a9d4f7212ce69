//! How many requests a lane may have under way: slow start, as transport protocols do it.

use std::time::Duration;

use crate::time::Moment;

/// In-flight limit of a lane that nothing is known of: little for a small receiver, enough to learn from.
const IN_FLIGHT_START: u32 = 4;
/// A lane whose last success is so long ago, and that has failed since, sends one request at a time, in
/// seconds.
const STALE_SECONDS: u64 = 60;
/// How long a success speaks for a lane, in seconds: if thousands of receivers hang from one moment on, those that
/// were heard of before it shall not take all requests that there may be.
const TRUSTED_SECONDS: u64 = 10;

/// The in-flight limit of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    limit: u32,
    max: u32,
    last_success_at: Option<Moment>,
    /// The first failure since the last success.
    failing_since: Option<Moment>,
}

impl Window {
    /// A window that may grow up to `max`, which is at least 1.
    pub fn new(max: u32) -> Window {
        let max = max.max(1);
        Window {
            limit: IN_FLIGHT_START.min(max),
            max,
            last_success_at: None,
            failing_since: None,
        }
    }

    /// A success: one more from now on, so that the limit doubles with each round.
    pub fn succeeded(&mut self, now: Moment) {
        self.limit = self.limit.saturating_add(1).min(self.max);
        self.last_success_at = Some(now);
        self.failing_since = None;
    }

    /// A fault of the endpoint: half as many, at least one.
    pub fn failed(&mut self, now: Moment) {
        self.limit = (self.limit / 2).max(1);
        self.failing_since.get_or_insert(now);
    }

    /// A new upper bound, at least 1.
    pub fn set_max(&mut self, max: u32) {
        self.max = max.max(1);
        self.limit = self.limit.min(self.max);
    }

    /// Most requests that may be under way now.
    pub fn limit(&self, now: Moment) -> u32 {
        if self.is_stale(now) { 1 } else { self.limit }
    }

    /// Whether something has succeeded lately, and nothing has failed since.
    pub fn is_trusted(&self, now: Moment) -> bool {
        let lately = Duration::from_secs(TRUSTED_SECONDS);
        self.failing_since.is_none()
            && self
                .last_success_at
                .is_some_and(|at| now.since(at) <= lately)
    }

    fn is_stale(&self, now: Moment) -> bool {
        let stale = Duration::from_secs(STALE_SECONDS);
        self.failing_since.is_some_and(|since| {
            let last_good = self.last_success_at.unwrap_or(since);
            now.since(last_good) > stale
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_microseconds(seconds * 1_000_000)
    }

    #[test]
    fn it_grows_with_successes_up_to_its_maximum() {
        let mut window = Window::new(6);
        let mut seen = vec![window.limit(at(0))];
        for _ in 0..4 {
            window.succeeded(at(0));
            seen.push(window.limit(at(0)));
        }
        assert_eq!(seen, [4, 5, 6, 6, 6]);
        for (max, limit) in [(0, 1), (1, 1), (3, 3), (4, 4), (100, 4)] {
            assert_eq!(Window::new(max).limit(at(0)), limit, "{max}");
        }
    }

    #[test]
    fn it_is_halved_by_each_fault_but_never_closes() {
        let mut window = Window::new(100);
        for _ in 0..28 {
            window.succeeded(at(0));
        }
        let mut seen = vec![window.limit(at(0))];
        for _ in 0..7 {
            window.failed(at(0));
            seen.push(window.limit(at(0)));
        }
        assert_eq!(seen, [32, 16, 8, 4, 2, 1, 1, 1]);
    }

    #[test]
    fn one_at_a_time_when_nothing_has_succeeded_for_a_minute() {
        let mut window = Window::new(32);
        window.succeeded(at(0));
        assert_eq!(
            window.limit(at(10_000)),
            5,
            "an idle lane is not a failing one"
        );
        window.failed(at(10));
        assert_eq!((window.limit(at(60)), window.limit(at(61))), (2, 1));
        window.succeeded(at(62));
        assert_eq!(window.limit(at(62)), 3);
        let mut never = Window::new(32);
        never.failed(at(100));
        assert_eq!((never.limit(at(160)), never.limit(at(161))), (2, 1));
    }

    #[test]
    fn trust_needs_a_recent_success_and_no_failure_since() {
        let mut window = Window::new(32);
        assert!(!window.is_trusted(at(0)));
        window.succeeded(at(0));
        assert!(window.is_trusted(at(10)));
        assert!(!window.is_trusted(at(11)));
        window.failed(at(1));
        assert!(!window.is_trusted(at(1)));
    }

    #[test]
    fn a_smaller_maximum_counts_at_once() {
        let mut window = Window::new(32);
        window.set_max(2);
        assert_eq!(window.limit(at(0)), 2);
        window.set_max(8);
        window.succeeded(at(0));
        assert_eq!(window.limit(at(0)), 3);
    }
}
