//! The header `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date.

use std::time::Duration;

use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use crate::retry::RETRY_AFTER_SECONDS_MAX;
use crate::time::Moment;

/// The three forms of a date that recipients must read (RFC 9110 section 5.6.7).
const DATE_FORMATS: [&str; 3] = [
    "%a, %d %b %Y %H:%M:%S GMT",
    "%A, %d-%b-%y %H:%M:%S GMT",
    "%a %b %e %H:%M:%S %Y",
];

/// How long the receiver asks to be left alone, up to 24 hours; a date in the past means not at all.
/// What cannot be read is as if it were not there.
pub fn parse(value: &str, now: Moment) -> Option<Duration> {
    let value = value.trim();
    let asked = if value.bytes().all(|byte| byte.is_ascii_digit()) {
        seconds(value)?
    } else {
        date(value)?.since(now)
    };
    Some(asked.min(Duration::from_secs(RETRY_AFTER_SECONDS_MAX)))
}

fn seconds(digits: &str) -> Option<Duration> {
    if digits.is_empty() {
        return None;
    }
    // More digits than fit are as good as the maximum.
    let seconds = digits.parse().unwrap_or(RETRY_AFTER_SECONDS_MAX);
    Some(Duration::from_secs(seconds))
}

fn date(text: &str) -> Option<Moment> {
    let civil: DateTime = DATE_FORMATS
        .into_iter()
        .find_map(|format| strtime::parse(format, text).ok()?.to_datetime().ok())?;
    let timestamp = TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Moment::from_microseconds(timestamp.as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06T08:49:37Z, the example of the RFC.
    const EXAMPLE: Moment = Moment::from_microseconds(784_111_777_000_000);

    #[test]
    fn seconds_and_all_three_forms_of_a_date_are_read() {
        let minute_before = EXAMPLE - Duration::from_secs(60);
        let cases = [
            ("0", 0),
            ("120", 120),
            (" 7 ", 7),
            ("86400", 86_400),
            ("86401", 86_400),
            ("99999999999999999999999", 86_400),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 60),
            ("Sunday, 06-Nov-94 08:49:37 GMT", 60),
            ("Sun Nov  6 08:49:37 1994", 60),
            ("Sun, 06 Nov 1994 08:48:00 GMT", 0),
            ("Fri, 31 Dec 1999 23:59:59 GMT", 86_400),
        ];
        for (value, expected) in cases {
            let asked = parse(value, minute_before);
            assert_eq!(asked, Some(Duration::from_secs(expected)), "{value}");
        }
    }

    #[test]
    fn garbage_is_passed_over() {
        let cases = [
            "",
            "soon",
            "-5",
            "1.5",
            "5s",
            "Sun, 06 Nov 1994",
            "1994-11-06T08:49:37Z",
            "Sun, 36 Nov 1994 08:49:37 GMT",
        ];
        for value in cases {
            assert_eq!(parse(value, EXAMPLE), None, "{value}");
        }
    }
}
