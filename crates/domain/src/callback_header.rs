//! Headers that a subscription adds to its requests.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

/// Most headers of a subscription.
pub const CALLBACK_HEADERS_MAX: usize = 20;
/// Longest name in characters.
pub const HEADER_NAME_CHARS_MAX: usize = 100;
/// Longest value in characters: room for any token.
pub const HEADER_VALUE_CHARS_MAX: usize = 2_000;
/// All names and values together, in bytes: what most servers accept is 8 KiB, and ours come on top.
const HEADERS_BYTES_MAX: usize = 6 * 1_024;
/// What is shown in place of a secret value.
const MASK: &str = "********";

/// Names that are ours, or that speak of the connection (RFC 9110 section 7.6.1) or of the body.
const REFUSED: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];
/// What refused names begin with.
const REFUSED_PREFIXES: &[&str] = &["postrider-", "proxy-", "webhook-"];

/// A header. A secret value is masked wherever the header is shown.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct CallbackHeader {
    name: String,
    value: String,
    secret: bool,
}

/// Why something is no header of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// The name cannot be a header's.
    #[error("is no name of a header; letters, digits and - are")]
    Name,
    /// The name is not the subscription's to set.
    #[error("is set by Postrider or by the connection; use another name")]
    Refused,
    /// The value cannot be a header's.
    #[error("may only hold visible ASCII characters, and blanks between them")]
    Value,
    /// The value is what is shown in place of a secret.
    #[error("is the mask of a secret; send the value itself, or leave `headers` out to keep them")]
    Mask,
    /// Another header has the name.
    #[error("stands twice; each header once")]
    Twice,
    /// Too much altogether.
    #[error("are longer than {HEADERS_BYTES_MAX} bytes together")]
    TooLong,
}

impl CallbackHeader {
    /// A header of this name and value.
    ///
    /// # Errors
    /// [`HeaderFault`], with whether the name or the value is to blame.
    pub fn new(name: &str, value: &str, secret: bool) -> Result<CallbackHeader, HeaderFault> {
        let is_sign = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.is_empty() || name.len() > HEADER_NAME_CHARS_MAX || !name.chars().all(is_sign) {
            return Err(HeaderFault::Name);
        }
        let folded = name.to_ascii_lowercase();
        let is_refused = REFUSED.contains(&folded.as_str())
            || REFUSED_PREFIXES
                .iter()
                .any(|prefix| folded.starts_with(prefix));
        if is_refused {
            return Err(HeaderFault::Refused);
        }
        let is_visible = |byte: u8| matches!(byte, b' '..=b'~');
        if value.trim() != value || !value.bytes().all(is_visible) {
            return Err(HeaderFault::Value);
        }
        if secret && value == MASK {
            return Err(HeaderFault::Mask);
        }
        Ok(CallbackHeader {
            name: name.to_owned(),
            value: value.to_owned(),
            secret,
        })
    }

    /// The name, as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value, for the receiver's eyes.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The header as it is shown: a secret value is masked.
    pub fn shown(&self) -> CallbackHeader {
        CallbackHeader {
            value: if self.secret {
                MASK.to_owned()
            } else {
                self.value.clone()
            },
            ..self.clone()
        }
    }

    /// The header with its value, as it is kept sealed.
    pub fn kept(&self) -> (&str, &str, bool) {
        (&self.name, &self.value, self.secret)
    }
}

/// What is wrong with several headers together: the index of the one to blame, if it is one.
pub fn fault_of_all(headers: &[CallbackHeader]) -> Option<(Option<usize>, HeaderFault)> {
    let twice = headers.iter().enumerate().find(|(index, header)| {
        let before = &headers[..*index];
        before
            .iter()
            .any(|other| other.name.eq_ignore_ascii_case(&header.name))
    });
    if let Some((index, _)) = twice {
        return Some((Some(index), HeaderFault::Twice));
    }
    let bytes: usize = headers
        .iter()
        .map(|header| header.name.len() + header.value.len())
        .sum();
    (bytes > HEADERS_BYTES_MAX).then_some((None, HeaderFault::TooLong))
}

impl Serialize for CallbackHeader {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("CallbackHeader", 3)?;
        shown.serialize_field("name", &self.name)?;
        shown.serialize_field("value", if self.secret { MASK } else { &self.value })?;
        shown.serialize_field("secret", &self.secret)?;
        shown.end()
    }
}

impl fmt::Debug for CallbackHeader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: …", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_connection_and_our_own_are_refused() {
        let cases = [
            ("x-api-key", "abc", Ok(())),
            ("Authorization", "Bearer a b", Ok(())),
            ("", "a", Err(HeaderFault::Name)),
            ("x y", "a", Err(HeaderFault::Name)),
            ("x:y", "a", Err(HeaderFault::Name)),
            ("Host", "a", Err(HeaderFault::Refused)),
            ("transfer-encoding", "a", Err(HeaderFault::Refused)),
            ("Webhook-Id", "a", Err(HeaderFault::Refused)),
            ("postrider-test", "a", Err(HeaderFault::Refused)),
            ("proxy-authorization", "a", Err(HeaderFault::Refused)),
            ("x", "a\r\nb: c", Err(HeaderFault::Value)),
            ("x", " a", Err(HeaderFault::Value)),
            ("x", "ä", Err(HeaderFault::Value)),
            ("x", "********", Err(HeaderFault::Mask)),
        ];
        for (name, value, expected) in cases {
            let made = CallbackHeader::new(name, value, true).map(|_| ());
            assert_eq!(made, expected, "{name}: {value}");
        }
    }

    #[test]
    fn a_secret_is_masked_wherever_it_is_shown() {
        let header = CallbackHeader::new("x", "hunter2", true).expect("good");
        let shown = serde_json::to_string(&header).expect("JSON");
        assert_eq!(shown, r#"{"name":"x","value":"********","secret":true}"#);
        assert!(!format!("{header:?}").contains("hunter2"));
        let open = CallbackHeader::new("x", "hunter2", false).expect("good");
        assert!(
            serde_json::to_string(&open)
                .expect("JSON")
                .contains("hunter2")
        );
    }

    #[test]
    fn headers_stand_once_and_are_bounded_together() {
        let header = |name: &str, length| {
            CallbackHeader::new(name, &"a".repeat(length), false).expect("good")
        };
        assert_eq!(fault_of_all(&[header("x", 1), header("y", 1)]), None);
        let twice = fault_of_all(&[header("x", 1), header("y", 1), header("X", 1)]);
        assert_eq!(twice, Some((Some(2), HeaderFault::Twice)));
        let long: Vec<_> = ["a", "b", "c", "d"].map(|name| header(name, 2_000)).into();
        assert_eq!(fault_of_all(&long), Some((None, HeaderFault::TooLong)));
    }
}
