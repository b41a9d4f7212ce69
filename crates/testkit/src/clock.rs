//! A clock that stands until a test moves it.

use std::future::{Future, pending};
use std::time::Duration;

use domain::time::{Clock, Moment};
use tokio::sync::watch;

/// A wall clock that stands until a test moves it, forwards or backwards. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock(watch::Sender<Moment>);

impl ManualClock {
    /// When a clock begins that is told nothing else: 2025-06-15T15:06:40Z.
    pub const BEGIN: Moment = Moment::from_microseconds(1_750_000_000_000_000);

    /// A clock that shows this moment.
    pub fn starting_at(moment: Moment) -> ManualClock {
        ManualClock(watch::Sender::new(moment))
    }

    /// Moves it forward; sleepers whose time has come wake.
    pub fn advance(&self, by: Duration) {
        self.0.send_modify(|now| *now = *now + by);
    }

    /// Moves it to this moment, which may be an earlier one; sleepers whose time has come wake.
    pub fn set(&self, to: Moment) {
        self.0.send_replace(to);
    }

    /// Ends once the clock shows `at` or later, and at once if it does already; also where it is set back to before the
    /// wait began, since then nobody knows how long to wait. A moment that the clock was moved past and back from before the sleeper could look may be missed. Without a clock left to move, it never ends.
    pub fn sleep_until(&self, at: Moment) -> impl Future<Output = ()> + Send + use<> {
        let mut now = self.0.subscribe();
        let began = self.now();
        async move {
            let is_over = |now: &Moment| *now >= at || *now < began;
            if now.wait_for(is_over).await.is_err() {
                pending().await
            }
        }
    }
}

impl Default for ManualClock {
    fn default() -> ManualClock {
        ManualClock::starting_at(ManualClock::BEGIN)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        *self.0.borrow()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn is_over(sleeper: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        sleeper.poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    #[test]
    fn it_stands_until_it_is_moved_and_clones_are_one_clock() {
        let clock = ManualClock::default();
        let same = clock.clone();
        assert_eq!(clock.now(), ManualClock::BEGIN);
        clock.advance(SECOND);
        assert_eq!(same.now(), ManualClock::BEGIN + SECOND);
        same.set(Moment::EPOCH);
        assert_eq!(clock.now(), Moment::EPOCH);
    }

    #[test]
    fn sleepers_wake_when_their_time_is_reached_and_not_before() {
        let clock = ManualClock::starting_at(Moment::EPOCH);
        let mut early = pin!(clock.sleep_until(Moment::EPOCH + SECOND));
        let mut late = pin!(clock.sleep_until(Moment::EPOCH + 3 * SECOND));
        assert!(is_over(pin!(clock.sleep_until(Moment::EPOCH))));
        assert!(!is_over(early.as_mut()));
        assert!(!is_over(late.as_mut()));
        clock.advance(SECOND - Duration::from_micros(1));
        assert!(!is_over(early.as_mut()));
        clock.advance(Duration::from_micros(1));
        assert!(is_over(early.as_mut()));
        assert!(!is_over(late.as_mut()));
        clock.set(Moment::EPOCH + 9 * SECOND);
        assert!(is_over(late.as_mut()));
    }

    #[tokio::test]
    async fn a_sleeping_task_is_woken() {
        let clock = ManualClock::default();
        let sleeper = tokio::spawn(clock.sleep_until(ManualClock::BEGIN + SECOND));
        clock.advance(SECOND);
        sleeper.await.expect("the sleeper ends");
    }

    #[test]
    fn nobody_wakes_when_the_clock_is_gone() {
        let clock = ManualClock::default();
        let mut sleeper = pin!(clock.sleep_until(ManualClock::BEGIN + SECOND));
        drop(clock);
        assert!(!is_over(sleeper.as_mut()));
    }
}
