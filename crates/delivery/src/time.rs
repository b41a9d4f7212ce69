//! Waiting, by a clock that tests can move.

use std::time::Duration;

use domain::time::{Clock, Moment};
use futures_util::future::BoxFuture;

/// A clock that can also be waited for.
pub trait Timer: Clock {
    /// The time that has passed since some beginning, by a clock that nobody sets.
    fn steady(&self) -> Duration;

    /// Ends once the clock shows `at` or later, and where the clock is set back meanwhile, no later than it was to.
    /// May end late where the clock is set forward, by as much as was left to wait.
    fn sleep_until(&self, at: Moment) -> BoxFuture<'_, ()>;
}
