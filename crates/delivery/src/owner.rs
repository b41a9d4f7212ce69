//! What the store tells the engine.

use std::sync::Arc;

use domain::id::{WebhookJobId, WebhookOutSubId};
use store::{Lane, LaneOwner, ReadyJob, Withdrawal};

use crate::engine::Engine;

/// The engine, as the store knows it. Runs on the store's thread: each call holds the lock for a moment
/// and spawns what follows.
pub(crate) struct Owner(pub(crate) Arc<Engine>);

impl LaneOwner for Owner {
    fn ready(&self, jobs: Vec<ReadyJob>) {
        self.0.update(|dispatch, now| dispatch.ready(jobs, now));
    }

    fn changed(&self, lane: Lane) {
        self.0.update(|dispatch, now| dispatch.changed(lane, now));
    }

    fn closed(&self, id: WebhookOutSubId) {
        self.0.update(|dispatch, now| dispatch.closed(id, now));
    }

    fn withdraw(&self, lane: WebhookOutSubId, job: WebhookJobId) -> Withdrawal {
        self.0
            .update(|dispatch, now| dispatch.withdraw(lane, job, now))
    }

    fn is_spent(&self, lane: WebhookOutSubId) -> bool {
        !self.0.lock().knows(lane)
    }

    fn will_look(&self, lane: WebhookOutSubId) -> bool {
        self.0.lock().will_look(lane)
    }
}
