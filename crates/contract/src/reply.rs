//! The answer to a request that was done.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::failure::Failure;
use crate::fault::Fault;
use crate::status::{ACTION_SUCCESSFUL, Status};

/// Sent should an answer itself be impossible to write, which its types rule out.
const CRASH_BODY: &[u8] =
    br#"{"code":500,"status":"application-crash","message":"The answer could not be written.","errors":[]}"#;

/// What a successful request returns.
#[derive(Debug, Clone)]
pub struct Reply {
    data: Box<RawValue>,
    count: Option<u64>,
    count_capped: bool,
    next: Option<Option<String>>,
    warnings: Vec<Fault>,
}

#[derive(Serialize)]
struct Envelope<'a> {
    code: u16,
    status: &'a str,
    data: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    count_capped: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a Option<String>>,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    warnings: &'a [Fault],
}

impl Reply {
    /// A reply whose `data` is the record given.
    ///
    /// # Errors
    /// `application-crash` for a record that JSON cannot express, such as a map whose keys are not
    /// strings.
    pub fn of(data: &impl Serialize) -> Result<Self, Failure> {
        to_raw_value(data)
            .map(Reply::raw)
            .map_err(|_| Failure::crash())
    }

    /// A reply whose `data` was written before.
    pub fn raw(data: Box<RawValue>) -> Self {
        Reply {
            data,
            count: None,
            count_capped: false,
            next: None,
            warnings: Vec::new(),
        }
    }

    /// Adds how many records there are; `capped` says that there are more, and counting stopped.
    pub fn count(mut self, count: u64, capped: bool) -> Self {
        self.count = Some(count);
        self.count_capped = capped;
        self
    }

    /// Adds the cursor of the next page; `None` says that this page is the last.
    pub fn next(mut self, cursor: Option<String>) -> Self {
        self.next = Some(cursor);
        self
    }

    /// Adds what was accepted and is probably not meant.
    pub fn warn(mut self, attr: impl Into<String>, message: impl Into<String>) -> Self {
        self.warnings.push(Fault::new(attr, message));
        self
    }

    /// The whole answer but for `x-request-id`, which only the server knows.
    pub fn into_response(self) -> Response<Bytes> {
        let envelope = Envelope {
            code: ACTION_SUCCESSFUL.code,
            status: ACTION_SUCCESSFUL.slug,
            data: &self.data,
            count: self.count,
            count_capped: self.count_capped,
            next: self.next.as_ref(),
            warnings: &self.warnings,
        };
        json_response(&ACTION_SUCCESSFUL, &envelope)
    }
}

/// Any answer of the API: JSON, under the status's own number.
pub(crate) fn json_response(status: &Status, envelope: &impl Serialize) -> Response<Bytes> {
    let (code, body) = match serde_json::to_vec(envelope) {
        Ok(body) => (status.http(), Bytes::from(body)),
        Err(_) => (
            http::StatusCode::INTERNAL_SERVER_ERROR,
            Bytes::from_static(CRASH_BODY),
        ),
    };
    let mut response = Response::new(body);
    *response.status_mut() = code;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn only_what_was_asked_for_stands_beside_the_data() {
        let reply = |data: &str| Reply::of(&data).expect("a string is JSON");
        let cases = [
            (reply("a"), r#""data":"a"}"#),
            (reply("a").count(12, false), r#""data":"a","count":12}"#),
            (
                reply("a").count(10_000, true),
                r#""data":"a","count":10000,"count_capped":true}"#,
            ),
            (reply("a").next(None), r#""data":"a","next":null}"#),
            (
                reply("a").next(Some("c".into())),
                r#""data":"a","next":"c"}"#,
            ),
            (
                reply("a").warn("statuses", "empty"),
                r#""data":"a","warnings":[{"attr":"statuses","message":"empty"}]}"#,
            ),
        ];
        for (reply, rest) in cases {
            let response = reply.into_response();
            assert_eq!(response.status(), 200);
            assert_eq!(response.headers()["content-type"], "application/json");
            let expected = format!(r#"{{"code":200,"status":"action-successful",{rest}"#);
            assert_eq!(response.body(), expected.as_bytes());
        }
    }

    #[test]
    fn a_record_that_json_cannot_express_is_a_crash() {
        let impossible = HashMap::from([((1, 2), 3)]);
        let failure = Reply::of(&impossible).expect_err("keys are no strings");
        assert_eq!(failure.status.slug, "application-crash");
    }
}
