//! Moments as the API writes them: RFC 3339 section 5.6, in UTC.

use jiff::Timestamp;

/// Most digits of a second's fraction; what is finer than microseconds is cut off.
const FRACTION_DIGITS_MAX: usize = 9;
/// Length of `2026-01-31T12:30:00`.
const SECONDS_LENGTH: usize = 19;

/// Microseconds since 1970 of a moment such as `2026-01-31T12:30:00.5Z`.
///
/// The shape is checked here because the library also reads much that RFC 3339 does not allow, such
/// as times without seconds or with a zone's name.
pub(crate) fn parse(text: &str) -> Result<i64, &'static str> {
    const SHAPE: &str = "must be an RFC 3339 time in UTC, such as \"2026-01-31T12:30:00Z\"";
    const OFFSET: &str = "must be in UTC: end it with \"Z\" (or \"+00:00\")";

    let (seconds, rest) = text.split_at_checked(SECONDS_LENGTH).ok_or(SHAPE)?;
    if !seconds.bytes().zip("dddd-dd-ddTdd:dd:dd".bytes()).all(fits) {
        return Err(SHAPE);
    }
    let offset = match rest.strip_prefix('.') {
        None => rest,
        Some(fraction) => {
            let offset = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            let digits = fraction.len() - offset.len();
            if digits == 0 || digits > FRACTION_DIGITS_MAX {
                return Err(SHAPE);
            }
            offset
        }
    };
    match offset {
        "Z" | "z" | "+00:00" => {}
        _ if is_offset(offset) => return Err(OFFSET),
        _ => return Err(SHAPE),
    }
    text.parse::<Timestamp>()
        .map(Timestamp::as_microsecond)
        .map_err(|_| "is no moment that exists before 9999-12-30T22:00:00Z")
}

fn is_offset(text: &str) -> bool {
    let shape = if text.starts_with('-') {
        "-dd:dd"
    } else {
        "+dd:dd"
    };
    text.is_empty() || (text.len() == shape.len() && text.bytes().zip(shape.bytes()).all(fits))
}

/// Whether a character may stand where the shape has this one: `d` is any digit, a letter in either
/// case.
fn fits((byte, shape): (u8, u8)) -> bool {
    if shape == b'd' {
        byte.is_ascii_digit()
    } else {
        byte.eq_ignore_ascii_case(&shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_times_are_read_to_the_microsecond() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00+00:00", 0),
            ("1970-01-01t00:00:01z", 1_000_000),
            ("1970-01-01T00:00:00.5Z", 500_000),
            ("1970-01-01T00:00:00.123456789Z", 123_456),
            ("1969-12-31T23:59:59.999999Z", -1),
            ("2024-02-29T12:00:00Z", 1_709_208_000_000_000),
            ("9999-12-30T21:59:59Z", 253_402_207_199_000_000),
        ];
        for (text, microseconds) in cases {
            assert_eq!(parse(text), Ok(microseconds), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused_with_the_reason() {
        let cases = [
            ("2026-01-31T12:30:00+02:00", "must be in UTC"),
            ("2026-01-31T12:30:00-00:00", "must be in UTC"),
            ("2026-01-31T12:30:00.25-07:00", "must be in UTC"),
            ("2026-01-31T12:30:00", "must be in UTC"),
            ("2026-01-31", "must be an RFC 3339 time"),
            ("2026-01-31T12:30Z", "must be an RFC 3339 time"),
            ("2026-01-31 12:30:00Z", "must be an RFC 3339 time"),
            ("2026-01-31T12:30:00.Z", "must be an RFC 3339 time"),
            ("2026-01-31T12:30:00,5Z", "must be an RFC 3339 time"),
            (
                "2026-01-31T12:30:00.1234567890Z",
                "must be an RFC 3339 time",
            ),
            ("2026-01-31T12:30:00Z[UTC]", "must be an RFC 3339 time"),
            ("2026-01-31T12:30:00Zulu", "must be an RFC 3339 time"),
            ("2026-01-31T12:30:00é", "must be an RFC 3339 time"),
            ("2026-01-31T12:30:0é", "must be an RFC 3339 time"),
            ("", "must be an RFC 3339 time"),
            ("2026-02-30T12:30:00Z", "is no moment that exists"),
            ("2026-01-31T25:30:00Z", "is no moment that exists"),
        ];
        for (text, reason) in cases {
            let message = parse(text).expect_err(text);
            assert!(message.contains(reason), "{text}: {message}");
        }
    }
}
