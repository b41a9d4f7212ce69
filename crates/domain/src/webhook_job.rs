//! Webhook jobs (one order stage for one subscription) and their delivery attempts.

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use crate::time::Moment;
use crate::webhook_id::WebhookId;

/// How far a job has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Not attempted yet.
    Pending,
    /// An attempt is under way; never stored, told by the engine.
    Delivering,
    /// Attempted, and to be attempted again.
    Retrying,
    /// Accepted by the receiver.
    Delivered,
    /// Given up.
    Exhausted,
    /// Withdrawn by hand.
    Canceled,
    /// Replaced by a newer one of the same order.
    Superseded,
}

impl JobState {
    /// All states, in the order of a job's life.
    pub const ALL: [JobState; 7] = [
        JobState::Pending,
        JobState::Delivering,
        JobState::Retrying,
        JobState::Delivered,
        JobState::Exhausted,
        JobState::Canceled,
        JobState::Superseded,
    ];

    /// The possible values of the filter.
    pub const NAMES: [&'static str; 7] = [
        "pending",
        "delivering",
        "retrying",
        "delivered",
        "exhausted",
        "canceled",
        "superseded",
    ];

    /// The name, as answers, filters and both stores have it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<JobState> {
        JobState::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more will be sent for the job.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            JobState::Delivered | JobState::Exhausted | JobState::Canceled | JobState::Superseded
        )
    }
}

/// A job as it is kept and shown.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebhookJob {
    /// Its identity.
    pub id: WebhookJobId,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// Whom it is for.
    pub webhook_out_sub_id: WebhookOutSubId,
    /// The subscription's key.
    pub webhook_subscriber: String,
    /// Where it goes: the subscription's callback URL as it is now.
    pub callback_url: String,
    /// The order; none for a test, and where it tells of a subscription.
    pub order_id: Option<OrderId>,
    /// The change it tells of; none for a test and for an event of Postrider itself.
    pub order_stage_id: Option<OrderStageId>,
    /// The order's own id at the order system.
    pub external_order_id: Option<String>,
    /// The stage's place in the order's history.
    pub sequence: Option<i64>,
    /// The order status it tells of; none where it tells of a subscription.
    pub status: Option<String>,
    /// The order event it tells of.
    pub event: Option<String>,
    /// The street of the order, for people.
    pub address: Option<String>,
    /// How far it has come.
    pub state: JobState,
    /// The same on every attempt; the header `webhook-id`.
    pub webhook_id: WebhookId,
    /// How many attempts were made.
    pub attempt_count: u32,
    /// The status of the last answer; none where no answer came.
    pub status_code: Option<u16>,
    /// When it is due next; none for a final or held one.
    pub next_attempt_at: Option<Moment>,
    /// The earlier job that it waits for.
    #[serde(default)]
    pub held_by: Option<WebhookJobId>,
    /// Whether a later one of the same order was let past, since the receiver refused this one itself.
    pub passed: bool,
    /// Whether it was made by `send_test`.
    pub test: bool,
    /// The job that this one repeats by hand.
    pub retry_of: Option<WebhookJobId>,
    /// Withdrawn by hand while an attempt was under way; it will not be attempted again.
    pub cancel_requested: bool,
    /// Why the subscription's own view could not render the change; the version's default was sent instead.
    pub payload_render_view_failed: Option<String>,
    /// When it was made.
    pub created_at: Moment,
    /// When it became final.
    pub finished_at: Option<Moment>,
}

/// One HTTP exchange of a job, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookAttempt {
    /// The how-manieth attempt of the job, from 1.
    pub number: u32,
    /// When it began.
    pub started_at: Moment,
    /// Where it was sent.
    pub callback_url: String,
    /// What it came to.
    pub outcome: AttemptOutcome,
    /// The status of the answer, if one came.
    pub status_code: Option<u16>,
    /// A stable name of what went wrong where no answer came, such as `timed-out`.
    pub fault: Option<String>,
    /// The same, or the verdict on the answer, in plain words.
    pub message: Option<String>,
    /// The address that was connected to.
    pub address: Option<String>,
    /// How long each phase took.
    pub timing: AttemptTiming,
    /// Headers of the answer, as they came.
    pub answer_headers: Vec<(String, String)>,
    /// The first bytes of the answer's body, as text (what is not UTF-8 is replaced).
    pub answer_body: Option<String>,
    /// Whether the body went on, or did not end.
    pub answer_body_truncated: bool,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    /// The receiver accepted it.
    Delivered,
    /// The endpoint as a whole seems to be at fault.
    EndpointFault,
    /// The receiver refused this very payload.
    JobFault,
    /// The receiver wants nothing more (410).
    Gone,
}

impl AttemptOutcome {
    /// All outcomes.
    pub const ALL: [AttemptOutcome; 4] = [
        AttemptOutcome::Delivered,
        AttemptOutcome::EndpointFault,
        AttemptOutcome::JobFault,
        AttemptOutcome::Gone,
    ];

    /// The name, as answers, metrics and both stores have it.
    pub const fn name(self) -> &'static str {
        match self {
            AttemptOutcome::Delivered => "delivered",
            AttemptOutcome::EndpointFault => "endpoint_fault",
            AttemptOutcome::JobFault => "job_fault",
            AttemptOutcome::Gone => "gone",
        }
    }

    /// The outcome of this name.
    pub fn parse(name: &str) -> Option<AttemptOutcome> {
        AttemptOutcome::ALL
            .into_iter()
            .find(|outcome| outcome.name() == name)
    }
}

/// How long the phases of an attempt took, in microseconds; a phase that was not needed has no time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptTiming {
    /// Resolving the name.
    pub resolve: Option<u64>,
    /// Connecting.
    pub connect: Option<u64>,
    /// The TLS handshake.
    pub tls: Option<u64>,
    /// From sending until the head of the answer was there.
    pub first_byte: Option<u64>,
    /// The whole exchange.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variants_agree() {
        for state in JobState::ALL {
            assert_eq!(JobState::parse(state.name()), Some(state));
            let json = serde_json::to_string(&state).expect("a string");
            assert_eq!(json, format!("\"{}\"", state.name()));
        }
        for outcome in AttemptOutcome::ALL {
            assert_eq!(AttemptOutcome::parse(outcome.name()), Some(outcome));
        }
    }
}
