//! Lanes, jobs and answers for the tests of decisions.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::destination::CallbackUrl;
use domain::health::LaneRecord;
use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::signature::{SigningSecret, SigningSecrets};
use domain::signing_key::SigningKeys;
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_out_sub::{Ordering, Version, WebhookOutSub};
use egress::{Answer, Exchange, Timing};
use http::HeaderMap;
use store::{DueJobs, Fence, ReadyJob};

use crate::judge::{Judged, judge};
use crate::lane::Start;

/// When all tests begin.
pub(crate) const NOW: Moment = Moment::from_microseconds(1_750_000_000_000_000);

pub(crate) fn after(seconds: u64) -> Moment {
    NOW + Duration::from_secs(seconds)
}

pub(crate) fn sub(id: i64) -> WebhookOutSub {
    WebhookOutSub {
        id: WebhookOutSubId(id),
        integration_id: IntegrationId(1),
        key: "key".to_owned(),
        name: "name".to_owned(),
        callback_url: CallbackUrl::parse("https://example.com/hook").expect("is a URL"),
        statuses: Vec::new(),
        events: Vec::new(),
        notification_emails: None,
        success_code: None,
        payload_render_view: None,
        active: true,
        notify: false,
        version: Version::V2,
        ordering: Ordering::None,
        timeout_seconds: None,
        max_in_flight: None,
        supersede: false,
        headers: Vec::new(),
        retry_policy: None,
        rate_limit: None,
        filter: None,
        asymmetric_signature: false,
        public_key: None,
        catching_up: false,
        health: LaneRecord::default(),
        created_at: NOW,
        updated_at: NOW,
    }
}

pub(crate) fn lane_of(sub: WebhookOutSub) -> store::Lane {
    let current = SigningSecret::from_bytes(&[7; 32]).expect("is long enough");
    store::Lane {
        sub: Arc::new(sub),
        secrets: Arc::new(SigningSecrets {
            current,
            previous: None,
            keys: SigningKeys::default(),
        }),
        headers: Arc::default(),
        fence: Fence(1),
        next_due_at: None,
    }
}

/// The job `id` of lane 1, due now.
pub(crate) fn job(id: i64) -> ReadyJob {
    job_of(1, id)
}

pub(crate) fn job_of(lane: i64, id: i64) -> ReadyJob {
    ReadyJob {
        id: WebhookJobId(id),
        webhook_out_sub_id: WebhookOutSubId(lane),
        order_id: Some(OrderId(id)),
        sequence: Some(1),
        webhook_id: WebhookId::from_bytes([1; 16]),
        attempts: 0,
        job_faults: 0,
        first_attempt_clock: None,
        created_at: NOW,
        due_at: NOW,
        payload: Bytes::from_static(b"{}"),
        test: false,
    }
}

pub(crate) fn jobs(ids: impl IntoIterator<Item = i64>) -> Vec<ReadyJob> {
    ids.into_iter().map(job).collect()
}

/// All that a store has due.
pub(crate) fn due(ids: impl IntoIterator<Item = i64>) -> DueJobs {
    DueJobs {
        jobs: jobs(ids),
        more: false,
        next_due_at: None,
    }
}

pub(crate) fn answer(status: u16) -> Answer {
    Answer {
        status,
        headers: HeaderMap::new(),
        body: Bytes::new(),
        body_truncated: false,
    }
}

pub(crate) fn exchange(result: Result<Answer, egress::Fault>) -> Exchange {
    Exchange {
        result,
        timing: Timing::default(),
        address: None,
        reused: false,
    }
}

/// The verdict on an answer of this status.
pub(crate) fn judged(start: &Start, status: u16, now: Moment) -> Judged {
    judge(start, exchange(Ok(answer(status))), now, now)
}
