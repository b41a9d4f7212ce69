//! Moments, and where they come from.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC: microseconds since 1970, as both stores keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

/// Tells the time. An argument everywhere, so that tests can move it.
pub trait Clock: Send + Sync {
    /// The wall clock's time now; it may jump, forwards and backwards.
    fn now(&self) -> Moment;
}

impl Moment {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Moment = Moment(0);

    /// The moment so many microseconds after 1970 began.
    pub const fn from_microseconds(microseconds: i64) -> Moment {
        Moment(microseconds)
    }

    /// Microseconds since 1970.
    pub const fn microseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as signatures carry them.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How much later this is than `earlier`; nothing where it is not.
    pub fn since(self, earlier: Moment) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0))
            .map_or(Duration::ZERO, Duration::from_micros)
    }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_add(microseconds(duration)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Moment;

    fn sub(self, duration: Duration) -> Moment {
        Moment(self.0.saturating_sub(microseconds(duration)))
    }
}

/// RFC 3339 in UTC with microseconds where there are any, such as `2026-01-31T12:30:00.25Z`.
impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(out, "{timestamp}"),
            Err(_) => write!(out, "{} microseconds since 1970", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let timestamp: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Moment(timestamp.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_and_read_to_the_microsecond() {
        let cases = [
            (0, "1970-01-01T00:00:00Z"),
            (1_709_208_000_250_000, "2024-02-29T12:00:00.25Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ];
        for (microseconds, text) in cases {
            let moment = Moment::from_microseconds(microseconds);
            assert_eq!(moment.to_string(), text);
            let json = serde_json::to_string(&moment).expect("a string");
            assert_eq!(
                serde_json::from_str::<Moment>(&json).expect("a time"),
                moment
            );
        }
    }

    #[test]
    fn arithmetic_stays_within_bounds() {
        let late = Moment::from_microseconds(i64::MAX);
        assert_eq!(late + Duration::from_secs(1), late);
        assert_eq!(Moment::EPOCH.since(late), Duration::ZERO);
        assert_eq!(
            (Moment::EPOCH + Duration::from_secs(3)).since(Moment::EPOCH),
            Duration::from_secs(3)
        );
        assert_eq!(Moment::from_microseconds(-1).seconds(), -1);
    }
}
