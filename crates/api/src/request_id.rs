//! The name of a request, in its answer and in the log.

use domain::time::Moment;
use http::HeaderValue;
use uuid::fmt::Hyphenated;
use uuid::{NoContext, Timestamp, Uuid};

/// A UUID of version 7 (RFC 9562 section 5.7). Always our own: a caller's could be anybody's.
pub(crate) struct RequestId {
    text: [u8; Hyphenated::LENGTH],
}

impl RequestId {
    pub(crate) fn new(now: Moment) -> RequestId {
        let seconds = u64::try_from(now.seconds()).unwrap_or(0);
        let microseconds = now.microseconds().rem_euclid(1_000_000);
        let nanoseconds = u32::try_from(microseconds * 1_000).unwrap_or(0);
        let id = Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, nanoseconds));
        let mut text = [0; Hyphenated::LENGTH];
        id.hyphenated().encode_lower(&mut text);
        RequestId { text }
    }

    pub(crate) fn as_str(&self) -> &str {
        // Hexadecimal digits and hyphens are always text.
        str::from_utf8(&self.text).unwrap_or_default()
    }

    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_bytes(&self.text).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_bear_the_time_and_differ() {
        let now = Moment::from_microseconds(1_700_000_000_123_456);
        let (one, other) = (RequestId::new(now), RequestId::new(now));
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.header(), one.as_str());
        let id = Uuid::parse_str(one.as_str()).expect("a UUID");
        let (seconds, nanoseconds) = id.get_timestamp().expect("a time").to_unix();
        assert_eq!(
            (id.get_version_num(), seconds, nanoseconds),
            (7, 1_700_000_000, 123_000_000)
        );
    }
}
