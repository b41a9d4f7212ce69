//! The answer to a request that was not done.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::fault::Fault;
use crate::reply;
use crate::status::{self, Status};

/// Most parameters that the sentence for people names; `errors` has them all.
const NAMED_IN_MESSAGE_MAX: usize = 5;

/// Why a request was not done, as the caller is told it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", status.slug)]
pub struct Failure {
    /// The outcome.
    pub status: &'static Status,
    /// A sentence for people; holds no secret and no detail of a fault inside the server.
    pub message: String,
    /// Each parameter that is to blame; empty where none is.
    pub errors: Vec<Fault>,
    /// After how many seconds trying again makes sense; the header `Retry-After`.
    pub retry_after_seconds: Option<u32>,
    /// The caller's session, where what to do next needs it.
    pub session: Option<Session>,
}

/// A session as an answer bears it: JSON, which may hold a token and so does not show itself.
#[derive(Clone)]
pub struct Session(Box<RawValue>);

#[derive(Serialize)]
struct Envelope<'a> {
    code: u16,
    status: &'a str,
    message: &'a str,
    errors: &'a [Fault],
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a RawValue>,
}

impl PartialEq for Session {
    fn eq(&self, other: &Session) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Session {}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Session")
    }
}

impl Failure {
    /// A failure that no parameter is to blame for.
    pub fn new(status: &'static Status, message: impl Into<String>) -> Self {
        Failure {
            status,
            message: message.into(),
            errors: Vec::new(),
            retry_after_seconds: None,
            session: None,
        }
    }

    /// A failure with the status's own description as its message.
    pub fn of(status: &'static Status) -> Self {
        Failure::new(status, status.description)
    }

    /// Required parameters are absent. All of them should be named.
    pub fn missing_param(errors: Vec<Fault>) -> Self {
        let message = format!("Required and missing: {}.", names(&errors));
        Failure {
            errors,
            ..Failure::new(&status::MISSING_PARAM, message)
        }
    }

    /// Parameters cannot be accepted. All of them should be named.
    pub fn invalid_param(errors: Vec<Fault>) -> Self {
        let message = format!("Not acceptable: {}.", names(&errors));
        Failure {
            errors,
            ..Failure::new(&status::INVALID_PARAM, message)
        }
    }

    /// The token is not good. Why is not told, so that nothing can be learnt by trying.
    pub fn invalid_token() -> Self {
        Failure::of(&status::INVALID_TOKEN)
    }

    /// The user has no role yet; `session` is what they register with.
    pub fn client_required(message: impl Into<String>, session: &impl Serialize) -> Self {
        Failure {
            session: to_raw_value(session).ok().map(Session),
            ..Failure::new(&status::CLIENT_REQUIRED, message)
        }
    }

    /// A fault inside the server. What it was belongs into the log, not into the answer.
    pub fn crash() -> Self {
        Failure::of(&status::APPLICATION_CRASH)
    }

    /// Too many requests; the next one is welcome after so many seconds.
    pub fn rate_limit_exceeded(retry_after_seconds: u32) -> Self {
        Failure::of(&status::RATE_LIMIT_EXCEEDED).retry_after(retry_after_seconds)
    }

    /// The store takes no work; trying again makes sense after so many seconds.
    pub fn store_unavailable(retry_after_seconds: u32) -> Self {
        Failure::of(&status::STORE_UNAVAILABLE).retry_after(retry_after_seconds)
    }

    /// The body is longer than `bytes_max`.
    pub fn body_too_large(bytes_max: usize) -> Self {
        let message = format!("This route accepts bodies of up to {bytes_max} bytes.");
        Failure::new(&status::BODY_TOO_LARGE, message)
    }

    /// Says after how many seconds trying again makes sense.
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The whole answer but for `x-request-id`, which only the server knows.
    pub fn into_response(self) -> Response<Bytes> {
        let envelope = Envelope {
            code: self.status.code,
            status: self.status.slug,
            message: &self.message,
            errors: &self.errors,
            session: self.session.as_ref().map(|session| &*session.0),
        };
        let mut response = reply::json_response(self.status, &envelope);
        if let Some(seconds) = self.retry_after_seconds {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// The first few places, and how many there are besides.
fn names(faults: &[Fault]) -> String {
    let mut places: Vec<&str> = faults.iter().map(|fault| fault.attr.as_str()).collect();
    places.dedup();
    let rest = places.len().saturating_sub(NAMED_IN_MESSAGE_MAX);
    places.truncate(NAMED_IN_MESSAGE_MAX);
    let named = places.join(", ");
    if rest == 0 {
        named
    } else {
        format!("{named} and {rest} more")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(response: &Response<Bytes>) -> &str {
        std::str::from_utf8(response.body()).expect("answers are UTF-8")
    }

    #[test]
    fn the_envelope_names_code_status_message_and_errors() {
        let response = Failure::missing_param(vec![Fault::missing("callback_url")]).into_response();
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["content-type"], "application/json");
        assert!(!response.headers().contains_key("retry-after"));
        assert_eq!(
            body(&response),
            r#"{"code":400,"status":"missing-param","message":"Required and missing: callback_url.","errors":[{"attr":"callback_url","message":"missing"}]}"#
        );
    }

    #[test]
    fn retry_after_is_sent_when_it_is_known() {
        let cases = [
            (Failure::rate_limit_exceeded(7), 429, Some("7")),
            (Failure::store_unavailable(1), 503, Some("1")),
            (Failure::body_too_large(1024), 413, None),
            (Failure::crash(), 500, None),
        ];
        for (failure, code, seconds) in cases {
            let response = failure.into_response();
            assert_eq!(response.status(), code);
            let header = response
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok());
            assert_eq!(header, seconds, "{code}");
        }
    }

    #[test]
    fn the_sentence_names_a_few_and_counts_the_rest() {
        let faults: Vec<Fault> = (0..8)
            .map(|index| Fault::missing(format!("p{index}")))
            .collect();
        assert_eq!(
            Failure::missing_param(faults).message,
            "Required and missing: p0, p1, p2, p3, p4 and 3 more."
        );
    }
}
