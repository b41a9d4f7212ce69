//! The id of a webhook message: the same on every attempt, so that receivers can tell a repetition.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use crate::time::Moment;

/// What a message id begins with (Standard Webhooks, "webhook id").
const PREFIX: &str = "msg_";

/// `msg_` and a UUID of version 7 (RFC 9562 section 5.7) without hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(Uuid);

/// A text that is no message id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no webhook id; one looks like msg_0197f3f2a1b27c3d8e4f5a6b7c8d9e0f")]
pub struct NotAWebhookId;

impl WebhookId {
    /// A new id; `random` makes it unique among those of the same millisecond.
    pub fn new(now: Moment, random: [u8; 10]) -> WebhookId {
        let milliseconds = u64::try_from(now.microseconds() / 1_000).unwrap_or(0);
        WebhookId(Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
    }

    /// The id of these bytes, as stores keep them.
    pub const fn from_bytes(bytes: [u8; 16]) -> WebhookId {
        WebhookId(Uuid::from_bytes(bytes))
    }

    /// The bytes, as stores keep them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for WebhookId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{PREFIX}{}", self.0.as_simple())
    }
}

impl FromStr for WebhookId {
    type Err = NotAWebhookId;

    fn from_str(text: &str) -> Result<WebhookId, NotAWebhookId> {
        let digits = text.strip_prefix(PREFIX).ok_or(NotAWebhookId)?;
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAWebhookId);
        }
        Uuid::try_parse(digits)
            .map(WebhookId)
            .map_err(|_| NotAWebhookId)
    }
}

impl Serialize for WebhookId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WebhookId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ascend_with_time_and_survive_being_text() {
        let at = |milliseconds: i64| Moment::from_microseconds(milliseconds * 1_000);
        let first = WebhookId::new(at(1_700_000_000_000), [0xff; 10]);
        let second = WebhookId::new(at(1_700_000_000_001), [0; 10]);
        assert!(first < second);
        assert!(first.to_string() < second.to_string());
        assert_eq!(first.to_string().len(), 36);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(WebhookId::from_bytes(*first.as_bytes()), first);
        assert_eq!(first.0.get_version_num(), 7);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "msg_",
            "msg_0197",
            "evt_0197f3f2a1b27c3d8e4f5a6b7c8d9e0f",
        ] {
            assert_eq!(text.parse::<WebhookId>(), Err(NotAWebhookId), "{text}");
        }
    }
}
