//! One attempt: the payload, signed and POSTed.

use bytes::Bytes;
use domain::signature;
use domain::time::Moment;
use egress::{Client, Exchange};
use http::HeaderMap;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};

use crate::lane::Start;
use crate::settings::Settings;

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const ATTEMPT: HeaderName = HeaderName::from_static("postrider-attempt");
const ORDER_ID: HeaderName = HeaderName::from_static("postrider-order-id");
const SEQUENCE: HeaderName = HeaderName::from_static("postrider-sequence");
const TEST: HeaderName = HeaderName::from_static("postrider-test");

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// Sends a job's payload byte for byte, with a fresh timestamp and signature (Standard Webhooks 1.0).
///
/// # Errors
/// When a header cannot be written, which is a defect of ours.
pub(crate) async fn send(
    client: &Client,
    start: &Start,
    settings: &Settings,
    now: Moment,
) -> Result<Exchange, http::Error> {
    let headers = headers(start, &settings.user_agent, now)?;
    let timeout = start.sub.timeout(settings.attempt_timeout);
    let payload = start.job.payload.clone();
    Ok(client
        .post(&start.sub.callback_url, headers, payload, timeout)
        .await)
}

fn headers(start: &Start, user_agent: &HeaderValue, now: Moment) -> Result<HeaderMap, http::Error> {
    let job = &start.job;
    let webhook_id = job.webhook_id.to_string();
    let signed = signature::sign(&start.secrets, now, &webhook_id, &job.payload);

    let mut headers = HeaderMap::with_capacity(12);
    headers.insert(WEBHOOK_ID, text(webhook_id)?);
    headers.insert(WEBHOOK_TIMESTAMP, signed.timestamp.into());
    headers.insert(WEBHOOK_SIGNATURE, text(signed.signature)?);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(USER_AGENT, user_agent.clone());
    headers.insert(ATTEMPT, (job.attempts + 1).into());
    if let Some(order_id) = job.order_id {
        headers.insert(ORDER_ID, order_id.0.into());
    }
    if job.test {
        headers.insert(TEST, TRUE);
    }
    if let Some(sequence) = job.sequence {
        headers.insert(SEQUENCE, sequence.into());
    }
    // None of these has the name of one above: that was refused when they were saved.
    for header in start.headers.iter() {
        let name = HeaderName::from_bytes(header.name().as_bytes())?;
        let mut value = HeaderValue::from_str(header.value())?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

fn text(text: String) -> Result<HeaderValue, http::Error> {
    Ok(HeaderValue::from_maybe_shared(Bytes::from(text))?)
}
