//! The clock that stands until a test moves it, as the engine waits by it.

use std::sync::Mutex;
use std::time::Duration;

use delivery::Timer;
use domain::time::{Clock, Moment};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use testkit::ManualClock;

/// When the clock of each test begins.
pub const BEGIN: Moment = ManualClock::BEGIN;

pub struct ManualTimer {
    wall: ManualClock,
    steady: Mutex<Duration>,
}

impl ManualTimer {
    pub fn new() -> ManualTimer {
        ManualTimer {
            wall: ManualClock::default(),
            steady: Mutex::default(),
        }
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        *self.steady.lock().expect("no panic inside") += duration;
        self.wall.advance(duration);
    }

    /// Lets time pass until this moment.
    pub fn set(&self, to: Moment) {
        self.advance(to.since(self.now()));
    }

    /// Sets the wall clock to a moment before or after, while no time passes.
    pub fn jump(&self, to: Moment) {
        self.wall.set(to);
    }
}

impl Clock for ManualTimer {
    fn now(&self) -> Moment {
        self.wall.now()
    }
}

impl Timer for ManualTimer {
    fn steady(&self) -> Duration {
        *self.steady.lock().expect("no panic inside")
    }

    fn sleep_until(&self, at: Moment) -> BoxFuture<'_, ()> {
        self.wall.sleep_until(at).boxed()
    }
}
