//! The database's clock, by which all of its nodes go: what is due by one of them is due by the others, however their machines' clocks differ.
//!
//! It is read now and then; in between, this machine's steady clock counts on.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::time::{Clock, Moment};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::one;

pub(crate) const SHOWS: &str =
    "select (extract(epoch from clock_timestamp()) * 1000000)::bigint as shown";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SHOWS];

/// See the module. Until it is read for the first time it shows 1970.
#[derive(Debug, Default)]
pub struct DatabaseClock(Mutex<Option<Seen>>);

/// What it showed when it was read.
#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    shown: Moment,
}

impl Seen {
    fn shows(self, at: Instant) -> Moment {
        self.shown + at.saturating_duration_since(self.at)
    }
}

impl Clock for DatabaseClock {
    fn now(&self) -> Moment {
        let seen = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.map_or(Moment::EPOCH, |seen| seen.shows(Instant::now()))
    }
}

impl DatabaseClock {
    /// Reads it.
    pub(crate) async fn read(&self, connection: &Connection) -> Result<(), Fault> {
        let asked_at = Instant::now();
        let shown = one(connection, SHOWS, &[], |row| Ok(row.try_get("shown")?)).await?;
        let shown = Moment::from_microseconds(shown.ok_or(Fault::Raced)?);
        self.showed(asked_at, asked_at.elapsed(), shown);
        Ok(())
    }

    /// It showed this at some moment of that time. What is known already stays where it agrees, so that a slow answer sets no clock.
    fn showed(&self, asked_at: Instant, took: Duration, shown: Moment) {
        let (at, doubt) = (asked_at + took / 2, took / 2);
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let agrees = seen.is_some_and(|seen| {
            let expected = seen.shows(at);
            expected.since(shown).max(shown.since(expected)) <= doubt
        });
        if !agrees {
            *seen = Some(Seen { at, shown });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn it_is_as_the_database_shows_it_and_a_slow_answer_does_not_set_it() {
        let clock = DatabaseClock::default();
        let (began, shown) = (
            Instant::now(),
            Moment::from_microseconds(1_700_000_000_000_000),
        );
        clock.showed(began, Duration::ZERO, shown);
        assert!(clock.now().since(shown) < HOUR);
        let seen = |clock: &DatabaseClock| clock.0.lock().expect("no panic").expect("seen").shown;
        clock.showed(began, Duration::from_secs(4), shown);
        assert_eq!(seen(&clock), shown, "two seconds in doubt");
        clock.showed(began, Duration::from_secs(4), shown + HOUR);
        assert_eq!(seen(&clock), shown + HOUR, "it was set");
        clock.showed(began, Duration::ZERO, shown);
        assert_eq!(seen(&clock), shown, "and set back");
    }
}
