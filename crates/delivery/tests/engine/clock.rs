//! A clock that stands until a test moves it.

use std::time::Duration;

use delivery::Timer;
use domain::time::{Clock, Moment};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

/// When the clock of each test begins.
pub const BEGIN: Moment = Moment::from_microseconds(1_750_000_000_000_000);

pub struct ManualTimer(watch::Sender<Moment>);

impl ManualTimer {
    pub fn new() -> ManualTimer {
        ManualTimer(watch::Sender::new(BEGIN))
    }

    pub fn advance(&self, duration: Duration) {
        self.0.send_modify(|now| *now = *now + duration);
    }

    pub fn set(&self, to: Moment) {
        self.0.send_replace(to);
    }
}

impl Clock for ManualTimer {
    fn now(&self) -> Moment {
        *self.0.borrow()
    }
}

impl Timer for ManualTimer {
    fn sleep_until(&self, at: Moment) -> BoxFuture<'_, ()> {
        let mut now = self.0.subscribe();
        async move {
            let reached = now.wait_for(|now| *now >= at).await;
            reached.expect("the clock outlives its sleepers");
        }
        .boxed()
    }
}
