//! Which statuses of an answer count as delivered.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text that means every 2XX.
const ANY: &str = "2xx";

/// Any 2XX status, or a list of them. Shown as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessCode {
    text: String,
    /// Bit n stands for the status 200 + n.
    covered: u128,
}

/// Why a text says no statuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuccessCodeFault {
    /// Neither the word nor numbers.
    #[error("must be \"2xx\", a code from 200 to 299, or several separated by commas")]
    Syntax,
    /// A number that is no success.
    #[error("may only hold codes from 200 to 299: other answers are never a success")]
    NotSuccess,
}

impl SuccessCode {
    /// Whether an answer with this status is a success.
    pub fn covers(&self, status: u16) -> bool {
        bit(status).is_some_and(|bit| self.covered & bit != 0)
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn bit(status: u16) -> Option<u128> {
    let offset = status.checked_sub(200).filter(|offset| *offset < 100)?;
    Some(1 << offset)
}

/// Every 2XX.
impl Default for SuccessCode {
    fn default() -> SuccessCode {
        SuccessCode {
            text: ANY.to_owned(),
            covered: (1 << 100) - 1,
        }
    }
}

impl FromStr for SuccessCode {
    type Err = SuccessCodeFault;

    fn from_str(text: &str) -> Result<SuccessCode, SuccessCodeFault> {
        if text.eq_ignore_ascii_case(ANY) {
            return Ok(SuccessCode {
                text: text.to_owned(),
                ..SuccessCode::default()
            });
        }
        let mut covered = 0;
        for code in text.split(',') {
            let code = code.trim_matches(' ');
            if code.len() != 3 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(SuccessCodeFault::Syntax);
            }
            let status = code.parse().map_err(|_| SuccessCodeFault::Syntax)?;
            covered |= bit(status).ok_or(SuccessCodeFault::NotSuccess)?;
        }
        Ok(SuccessCode {
            text: text.to_owned(),
            covered,
        })
    }
}

impl fmt::Display for SuccessCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

impl Serialize for SuccessCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for SuccessCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_covered_and_nothing_else() {
        let cases = [
            ("2xx", vec![200, 201, 204, 250, 299]),
            ("2XX", vec![200, 299]),
            ("200", vec![200]),
            ("299", vec![299]),
            ("200,202, 204", vec![200, 202, 204]),
        ];
        for (text, covered) in cases {
            let code: SuccessCode = text.parse().expect(text);
            assert_eq!(code.as_str(), text);
            for status in [
                100, 199, 200, 201, 202, 204, 250, 299, 300, 404, 500, 65_535,
            ] {
                let expected = covered.contains(&status)
                    || (text.eq_ignore_ascii_case("2xx") && (200..300).contains(&status));
                assert_eq!(code.covers(status), expected, "{text} {status}");
            }
        }
        assert!(SuccessCode::default().covers(226));
    }

    #[test]
    fn it_is_shown_read_and_written_as_it_was_given() {
        for text in ["2xx", "200,202, 204"] {
            let json = format!("\"{text}\"");
            let code: SuccessCode = serde_json::from_str(&json).expect(text);
            assert_eq!(code, text.parse().expect(text));
            assert_eq!(code.to_string(), text);
            assert_eq!(serde_json::to_string(&code).expect("JSON"), json);
        }
        assert!(serde_json::from_str::<SuccessCode>("\"404\"").is_err());
    }

    #[test]
    fn everything_else_is_refused_with_the_remedy() {
        use SuccessCodeFault::{NotSuccess, Syntax};
        let cases = [
            ("", Syntax),
            ("ok", Syntax),
            ("2x", Syntax),
            ("20", Syntax),
            ("2000", Syntax),
            ("200,", Syntax),
            ("200;201", Syntax),
            ("+20", Syntax),
            ("199", NotSuccess),
            ("300", NotSuccess),
            ("200,404", NotSuccess),
        ];
        for (text, fault) in cases {
            assert_eq!(text.parse::<SuccessCode>(), Err(fault), "{text}");
        }
    }
}
