//! The clock that stands until a test moves it, as the engine waits by it.

use std::time::Duration;

use delivery::Timer;
use domain::time::{Clock, Moment};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use testkit::ManualClock;

/// When the clock of each test begins.
pub const BEGIN: Moment = ManualClock::BEGIN;

pub struct ManualTimer(ManualClock);

impl ManualTimer {
    pub fn new() -> ManualTimer {
        ManualTimer(ManualClock::default())
    }

    pub fn advance(&self, duration: Duration) {
        self.0.advance(duration);
    }

    pub fn set(&self, to: Moment) {
        self.0.set(to);
    }
}

impl Clock for ManualTimer {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

impl Timer for ManualTimer {
    fn sleep_until(&self, at: Moment) -> BoxFuture<'_, ()> {
        self.0.sleep_until(at).boxed()
    }
}
