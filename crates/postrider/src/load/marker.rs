//! How a delivery tells which change it is of: `load-RUN-NUMBER-SENT` somewhere in the body.
//!
//! The receiver searches the bytes for it and parses nothing else, whatever the payload's shape.

use std::time::Duration;

/// Digits of a change's number: [`super::plan::CHANGES_MAX`] has eight.
const NUMBER_DIGITS: usize = 8;
/// Digits of the sending time in microseconds since the run began: 11 days.
const SENT_DIGITS: usize = 12;

/// What the markers of one phase begin with.
#[derive(Clone, Debug)]
pub struct Run {
    prefix: String,
}

/// What a marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marker {
    /// The number of the change, from 0.
    pub number: u64,
    /// When it was sent, or due, since the run began.
    pub sent: Duration,
}

impl Run {
    /// The phase of this name; names must differ in all runs against one server.
    pub fn new(name: &str) -> Run {
        Run {
            prefix: format!("load-{name}-"),
        }
    }

    /// What all its markers, and nothing else that the producer writes, begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A marker with all digits zero, to be overwritten by [`Marker::write`].
    pub fn blank(&self) -> String {
        let (number, sent) = ("0".repeat(NUMBER_DIGITS), "0".repeat(SENT_DIGITS));
        format!("{}{number}-{sent}", self.prefix)
    }

    /// The first marker of the phase in these bytes.
    pub fn find(&self, bytes: &[u8]) -> Option<Marker> {
        let prefix = self.prefix.as_bytes();
        let mut rest = bytes;
        loop {
            let start = memchr::memmem::find(rest, prefix)?;
            rest = &rest[start + prefix.len()..];
            if let Some(marker) = Marker::read(rest) {
                return Some(marker);
            }
        }
    }
}

impl Marker {
    /// Overwrites the digits of a blank marker of which `digits` is the part after the prefix.
    pub fn write(self, digits: &mut [u8]) {
        write_digits(&mut digits[..NUMBER_DIGITS], self.number);
        let microseconds = u64::try_from(self.sent.as_micros()).unwrap_or(u64::MAX);
        write_digits(
            &mut digits[NUMBER_DIGITS + 1..][..SENT_DIGITS],
            microseconds,
        );
    }

    fn read(digits: &[u8]) -> Option<Marker> {
        let number = read_digits(digits.get(..NUMBER_DIGITS)?)?;
        let sent = read_digits(digits.get(NUMBER_DIGITS + 1..)?.get(..SENT_DIGITS)?)?;
        Some(Marker {
            number,
            sent: Duration::from_micros(sent),
        })
    }
}

/// Writes a number with leading zeros; digits that do not fit are left out.
pub fn write_digits(digits: &mut [u8], mut number: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

fn read_digits(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number * 10 + u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_marker_is_found_in_any_text() {
        let run = Run::new("cafe1");
        let marker = Marker {
            number: 1_234_567,
            sent: Duration::from_micros(89_000_001),
        };
        let mut text = format!("{{\"order\":\"{}\",\"more\":1}}", run.blank()).into_bytes();
        let start = "{\"order\":\"".len() + run.prefix().len();
        marker.write(&mut text[start..]);
        assert_eq!(run.find(&text), Some(marker));
        assert_eq!(Run::new("cafe2").find(&text), None);
        assert_eq!(run.find(&text[..start + 10]), None);
    }

    #[test]
    fn a_prefix_without_digits_is_passed_over() {
        let run = Run::new("r");
        let text = b"load-r-order7 load-r-00000003-000000000004";
        let found = run.find(text).expect("the second");
        assert_eq!((found.number, found.sent.as_micros()), (3, 4));
    }
}
