//! From an exchange to the record of an attempt, in plain words.

use std::sync::LazyLock;
use std::time::Duration;

use domain::retry_after;
use domain::success_code::SuccessCode;
use domain::time::Moment;
use domain::verdict;
use domain::webhook_job::{AttemptOutcome, AttemptTiming, WebhookAttempt};
use egress::{Answer, ConnectFault, Exchange, Fault, Timing};
use http::HeaderMap;
use http::header::{LOCATION, RETRY_AFTER};

use crate::lane::Start;

/// Most headers of an answer that are kept.
const ANSWER_HEADERS_KEPT: usize = 32;
/// Most bytes of an answer's headers that are kept, names and values together.
const ANSWER_HEADERS_BYTES_KEPT: usize = 4 * 1_024;

/// What counts as success where a subscription states nothing.
static ANY_SUCCESS: LazyLock<SuccessCode> = LazyLock::new(SuccessCode::default);

/// An attempt, with what its lane must know beside.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    pub(crate) attempt: WebhookAttempt,
    /// How long the receiver asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// Whether this machine is to blame: the attempt says nothing of the endpoint or the job.
    pub(crate) is_ours: bool,
}

/// Judges what came back.
pub(crate) fn judge(start: &Start, exchange: Exchange, started_at: Moment, now: Moment) -> Judged {
    let success = start.sub.success_code.as_ref().unwrap_or(&ANY_SUCCESS);
    let mut attempt = blank(start, started_at);
    attempt.address = exchange.address.map(|address| address.to_string());
    attempt.timing = timing(&exchange.timing);
    let mut judged = Judged {
        attempt,
        retry_after: None,
        is_ours: false,
    };
    match exchange.result {
        Ok(answer) => judged.take_answer(answer, success, now),
        Err(fault) => judged.take_fault(&fault, success),
    }
    judged
}

/// The record of an attempt that failed through a defect of ours.
pub(crate) fn crashed(start: &Start, started_at: Moment, now: Moment) -> Judged {
    let mut attempt = blank(start, started_at);
    attempt.fault = Some("attempt-crashed".to_owned());
    attempt.message = Some("the attempt failed within Postrider; it is made again".to_owned());
    attempt.timing.total = microseconds(now.since(started_at));
    Judged {
        attempt,
        retry_after: None,
        is_ours: true,
    }
}

impl Judged {
    fn take_answer(&mut self, answer: Answer, success: &SuccessCode, now: Moment) {
        let attempt = &mut self.attempt;
        attempt.outcome = verdict::judge(Some(answer.status), success);
        attempt.status_code = Some(answer.status);
        if attempt.outcome != AttemptOutcome::Delivered {
            attempt.message = Some(format!("answered {}, success is {success}", answer.status));
            self.retry_after = asked_delay(&answer.headers, now);
        }
        attempt.answer_headers = kept_headers(&answer.headers);
        attempt.answer_body = (!answer.body.is_empty()).then(|| kept_text(&answer.body));
        attempt.answer_body_truncated = answer.body_truncated;
    }

    fn take_fault(&mut self, fault: &Fault, success: &SuccessCode) {
        self.attempt.outcome = verdict::judge(None, success);
        self.attempt.fault = Some(fault.slug().to_owned());
        self.attempt.message = Some(fault.to_string());
        self.is_ours = matches!(fault, Fault::Connect(ConnectFault::OutOfSockets(_)));
    }
}

fn blank(start: &Start, started_at: Moment) -> WebhookAttempt {
    WebhookAttempt {
        number: start.job.attempts + 1,
        started_at,
        callback_url: start.sub.callback_url.as_str().to_owned(),
        outcome: AttemptOutcome::EndpointFault,
        status_code: None,
        fault: None,
        message: None,
        address: None,
        timing: AttemptTiming::default(),
        answer_headers: Vec::new(),
        answer_body: None,
        answer_body_truncated: false,
    }
}

/// An answer's body as text. What is none, and U+0000, which not every store can keep, is shown as U+FFFD.
fn kept_text(body: &[u8]) -> String {
    String::from_utf8_lossy(body).replace('\0', "\u{fffd}")
}

fn asked_delay(headers: &HeaderMap, now: Moment) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    retry_after::parse(value, now)
}

/// The first headers, as many as fit. Where a redirect points comes before all others: it is not
/// followed, and mostly the answer to why nothing arrived.
fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let places = headers.iter().filter(|(name, _)| *name == LOCATION);
    let others = headers.iter().filter(|(name, _)| *name != LOCATION);
    let mut kept = Vec::with_capacity(headers.len().min(ANSWER_HEADERS_KEPT));
    let mut room = ANSWER_HEADERS_BYTES_KEPT;
    for (name, value) in places.chain(others).take(ANSWER_HEADERS_KEPT) {
        let size = name.as_str().len() + value.len();
        if size > room {
            continue;
        }
        room -= size;
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        kept.push((name.as_str().to_owned(), value));
    }
    kept
}

fn timing(timing: &Timing) -> AttemptTiming {
    AttemptTiming {
        resolve: timing.resolve.map(microseconds),
        connect: timing.connect.map(microseconds),
        tls: timing.tls.map(microseconds),
        first_byte: timing.first_byte.map(microseconds),
        total: microseconds(timing.total),
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
