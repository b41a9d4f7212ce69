//! The order of jobs in the model store: who is released, and when.

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_out_sub::Ordering;

use super::model::Job;
use super::mutation::Mutation;
use super::transaction::Transaction;

impl Transaction {
    /// Releases the next held job of a group, if nothing holds it any more.
    pub(super) fn release_next(
        &mut self,
        sub: WebhookOutSubId,
        order: Option<OrderId>,
        at: Moment,
    ) {
        let ordering = self.draft.ordering(sub);
        let first = self.draft.waiting(sub).find(|job| {
            job.is_held()
                && job.ordered
                && match ordering {
                    Ordering::Order => order.is_some() && job.order == order,
                    Ordering::Subscription => true,
                    Ordering::None => false,
                }
        });
        let Some(first) = first.copied() else { return };
        let is_held = self.draft.holder(sub, first.order, first.id).is_some();
        if !is_held || self.is(Mutation::ReleasesEarly) {
            self.make_due(first.id, at);
            if !self.is(Mutation::ReleasesUntold) {
                self.ready(first.id);
            }
        }
    }

    /// Releases whatever nothing holds under a new ordering.
    pub(super) fn release_all_free(&mut self, sub: WebhookOutSubId, at: Moment) {
        let held = self.draft.waiting(sub).filter(|job| job.is_held());
        let held: Vec<Job> = held.copied().collect();
        for job in held {
            if self.draft.holder(sub, job.order, job.id).is_none() {
                self.make_due(job.id, at);
            }
        }
    }

    fn make_due(&mut self, id: WebhookJobId, at: Moment) {
        if let Some(job) = self.draft.job_mut(id) {
            job.next_attempt_at = Some(at);
        }
    }
}
