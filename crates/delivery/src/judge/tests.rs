//! Tests of what an exchange comes to.

use std::time::Duration;

use bytes::Bytes;
use domain::webhook_job::AttemptOutcome::{Delivered, EndpointFault, Gone, JobFault};
use egress::{ConnectFault, Fault};
use http::HeaderValue;
use http::header::HeaderName;

use super::*;
use crate::fixtures::{NOW, answer, exchange, job, lane_of, sub};
use crate::lane::Lane;
use crate::memory::Memory;
use crate::slots::Trust;

fn start_with(success: Option<&str>) -> Start {
    let mut sub = sub(1);
    sub.success_code = success.map(|text| text.parse().expect("is a success code"));
    let mut lane = Lane::new(lane_of(sub));
    let mut memory = Memory::default();
    lane.offer(job(1), &mut memory, NOW);
    lane.start(Trust::Suspect, &mut memory, NOW)
        .expect("has a job")
}

fn judged(success: Option<&str>, result: Result<Answer, Fault>) -> Judged {
    judge(&start_with(success), exchange(result), NOW, NOW)
}

#[test]
fn answers_are_judged_in_plain_words() {
    let cases = [
        (None, 200, Delivered, None),
        (Some("202"), 202, Delivered, None),
        (
            Some("202"),
            200,
            EndpointFault,
            Some("answered 200, success is 202"),
        ),
        (
            None,
            302,
            EndpointFault,
            Some("answered 302, success is 2xx"),
        ),
        (None, 422, JobFault, Some("answered 422, success is 2xx")),
        (None, 410, Gone, Some("answered 410, success is 2xx")),
    ];
    for (success, status, outcome, message) in cases {
        let judged = judged(success, Ok(answer(status)));
        assert_eq!(judged.attempt.outcome, outcome, "{success:?} {status}");
        assert_eq!(judged.attempt.status_code, Some(status));
        assert_eq!(judged.attempt.message.as_deref(), message);
        assert!(!judged.is_ours);
    }
}

#[test]
fn faults_of_this_machine_are_not_held_against_the_endpoint() {
    let out_of_sockets = ConnectFault::OutOfSockets("too many open files".to_owned());
    let cases = [
        (Fault::Closed, "connection-closed", false),
        (
            Fault::Connect(ConnectFault::Refused),
            "connection-refused",
            false,
        ),
        (Fault::Connect(out_of_sockets), "out-of-sockets", true),
    ];
    for (fault, slug, is_ours) in cases {
        let judged = judged(None, Err(fault.clone()));
        assert_eq!(judged.attempt.outcome, EndpointFault);
        assert_eq!(judged.attempt.fault.as_deref(), Some(slug));
        assert_eq!(judged.attempt.message, Some(fault.to_string()));
        assert_eq!(judged.is_ours, is_ours, "{slug}");
    }
    let crashed = crashed(&start_with(None), NOW, NOW);
    assert!(crashed.is_ours && crashed.attempt.fault.is_some());
}

#[test]
fn what_is_kept_of_an_answer_is_bounded() {
    let mut many = answer(500);
    for number in 0..100 {
        let name: HeaderName = format!("x-{number}").parse().expect("is a name");
        many.headers.insert(name, HeaderValue::from_static("value"));
    }
    many.headers
        .insert(LOCATION, HeaderValue::from_static("https://elsewhere/"));
    let kept = judged(None, Ok(many)).attempt.answer_headers;
    assert_eq!(kept.len(), ANSWER_HEADERS_KEPT);
    let place = ("location".to_owned(), "https://elsewhere/".to_owned());
    assert_eq!(kept[0], place, "where a redirect points is kept");

    let mut long = answer(500);
    let value = "v".repeat(3_000);
    for name in ["x-first", "x-second"] {
        let value = HeaderValue::from_str(&value).expect("is a value");
        long.headers.insert(HeaderName::from_static(name), value);
    }
    long.headers
        .insert("x-short", HeaderValue::from_static("1"));
    long.body = Bytes::from_static(b"not \xff UTF-8, and \0");
    long.body_truncated = true;
    let attempt = judged(None, Ok(long)).attempt;
    let names: Vec<_> = attempt
        .answer_headers
        .iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["x-first", "x-short"]);
    assert_eq!(
        attempt.answer_body.as_deref(),
        Some("not \u{fffd} UTF-8, and \u{fffd}")
    );
    assert!(attempt.answer_body_truncated);
}

#[test]
fn only_failures_ask_for_a_delay() {
    for (status, asked) in [(200, None), (503, Some(120)), (400, Some(120))] {
        let mut busy = answer(status);
        busy.headers
            .insert(RETRY_AFTER, HeaderValue::from_static("120"));
        let judged = judged(None, Ok(busy));
        assert_eq!(
            judged.retry_after,
            asked.map(Duration::from_secs),
            "{status}"
        );
    }
}
