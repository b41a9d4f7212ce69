//! What the store is asked for.

use std::sync::Arc;

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::rate_limit::RateLimit;
use domain::retry::RetryPolicy;
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, WebhookOutSub};
use store::Outcome;

/// A piece of work for the store, wholly done or not at all.
#[derive(Clone, Debug)]
pub(super) enum Work {
    Create(Policies),
    Accept {
        order: OrderId,
        is_big: bool,
        at: Moment,
    },
    Cancel(WebhookJobId, Moment),
    Retry(WebhookJobId, Moment),
    SendTest(WebhookOutSubId, Moment),
    Update(WebhookOutSubId, Change, Moment),
    Delete(WebhookOutSubId),
    CancelLeftovers,
    Record(Arc<[Outcome]>),
}

/// What is changed of a subscription.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Active(bool),
    Ordering(Ordering),
    Policies(Policies),
}

/// How a subscription wants to be delivered to.
#[derive(Clone, Debug)]
pub(super) struct Policies {
    pub(super) ordering: Ordering,
    pub(super) supersede: bool,
    pub(super) max_in_flight: Option<u32>,
    pub(super) retry_policy: Option<RetryPolicy>,
    pub(super) rate_limit: Option<RateLimit>,
}

impl Policies {
    pub(super) fn applied(&self, sub: WebhookOutSub) -> WebhookOutSub {
        WebhookOutSub {
            ordering: self.ordering,
            supersede: self.supersede,
            max_in_flight: self.max_in_flight,
            retry_policy: self.retry_policy.clone(),
            rate_limit: self.rate_limit,
            ..sub
        }
    }
}
