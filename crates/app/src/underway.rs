//! What the store does not know: which jobs are being sent at this moment.

use std::collections::HashSet;

use domain::id::WebhookJobId;
use domain::webhook_job::{JobState, WebhookJob};

/// The delivery engine, as far as people who look at jobs are concerned.
pub trait Underway: Send + Sync {
    /// The jobs that are being sent at this moment.
    fn delivering(&self) -> Vec<WebhookJobId>;
}

/// A view of the jobs that are being sent, the same for all that one request shows.
pub(crate) struct Delivering(HashSet<WebhookJobId>);

impl Delivering {
    pub(crate) fn now(underway: &dyn Underway) -> Delivering {
        Delivering(underway.delivering().into_iter().collect())
    }

    pub(crate) fn ids(&self) -> Vec<WebhookJobId> {
        self.0.iter().copied().collect()
    }

    /// Shows a job as delivering if it is. One that has become final in the meantime stays final.
    pub(crate) fn show(&self, job: &mut WebhookJob) {
        if !job.state.is_final() && self.0.contains(&job.id) {
            job.state = JobState::Delivering;
        }
    }
}
