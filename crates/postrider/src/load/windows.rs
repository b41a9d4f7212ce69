//! A phase in parts: whether the rate holds while the store grows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::plan::Until;

/// How often it is looked whether a window is over.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// What is seen at the edge of a window.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// When, since the phase began.
    pub at: Duration,
    /// Changes accepted so far.
    pub accepted: u64,
    /// Deliveries so far.
    pub delivered: u64,
    /// Bytes of the server's data, where its folder is known.
    pub store_bytes: Option<u64>,
}

/// A part of a phase.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Window {
    /// How long it was.
    pub seconds: f64,
    /// Changes accepted in it.
    pub accepted: u64,
    /// The same, by its length.
    pub accepted_per_second: f64,
    /// Deliveries in it, by its length.
    pub delivered_per_second: f64,
    /// By how much the server's data grew, for each change; negative when they shrank.
    pub store_bytes_per_change: Option<f64>,
}

/// Looks until `done`, and tells the phase in at most `count` windows of equal length or equally many
/// changes; what comes after the last but one is the last. `first` is what was seen before it began.
pub fn watch(
    count: usize,
    until: Until,
    done: &AtomicBool,
    first: Sight,
    look: impl Fn() -> Sight,
) -> Vec<Window> {
    let mut last = first;
    let mut windows = Vec::with_capacity(count);
    loop {
        let is_over = done.load(Ordering::Acquire);
        let edge = (windows.len() + 1) as f64 / count as f64;
        let sight = look();
        if is_over || (windows.len() + 1 < count && is_beyond(sight, until, edge)) {
            windows.push(between(last, sight));
            last = sight;
        }
        if is_over {
            return windows;
        }
        std::thread::sleep(LOOK_PAUSE);
    }
}

/// Whether this share of the phase is over.
fn is_beyond(sight: Sight, until: Until, share: f64) -> bool {
    match until {
        Until::Elapsed(length) => sight.at >= length.mul_f64(share),
        Until::Changes(changes) => sight.accepted as f64 >= changes as f64 * share,
    }
}

fn between(last: Sight, sight: Sight) -> Window {
    let seconds = sight.at.saturating_sub(last.at).as_secs_f64();
    let accepted = sight.accepted - last.accepted;
    let per_second = |count: u64| {
        if seconds > 0.0 {
            count as f64 / seconds
        } else {
            0.0
        }
    };
    let grown = last.store_bytes.zip(sight.store_bytes);
    Window {
        seconds,
        accepted,
        accepted_per_second: per_second(accepted),
        delivered_per_second: per_second(sight.delivered - last.delivered),
        store_bytes_per_change: grown
            .filter(|_| accepted > 0)
            .map(|(last, now)| (now as f64 - last as f64) / accepted as f64),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    #[test]
    fn windows_are_equal_parts_and_the_last_takes_the_rest() {
        let (done, looks) = (AtomicBool::new(false), AtomicU64::new(0));
        // Each look sees ten changes more, of 100; there are two looks after that.
        let look = || {
            let number = looks.fetch_add(1, Ordering::Relaxed);
            done.store(number >= 12, Ordering::Release);
            Sight {
                at: Duration::from_secs(number),
                accepted: number.min(10) * 10,
                delivered: number.min(10) * 20,
                store_bytes: Some(1_000 + number.min(10) * 50),
            }
        };
        let windows = watch(2, Until::Changes(100), &done, look(), look);
        let first = Window {
            seconds: 5.0,
            accepted: 50,
            accepted_per_second: 10.0,
            delivered_per_second: 20.0,
            store_bytes_per_change: Some(5.0),
        };
        assert_eq!(windows.len(), 2);
        assert_eq!(windows[0], first);
        assert_eq!((windows[1].seconds, windows[1].accepted), (8.0, 50));
    }

    #[test]
    fn a_phase_that_ends_early_is_one_window() {
        let sight = |accepted| Sight {
            at: Duration::ZERO,
            accepted,
            delivered: 0,
            store_bytes: None,
        };
        let length = Until::Elapsed(Duration::from_secs(3_600));
        let done = AtomicBool::new(true);
        let windows = watch(10, length, &done, sight(0), || sight(7));
        assert_eq!((windows.len(), windows[0].accepted), (1, 7));
        assert_eq!(windows[0].store_bytes_per_change, None);
    }
}
