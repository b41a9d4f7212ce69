//! Webhook jobs, as people look at them and take a hand in them.
//!
//! The state `delivering` is not stored; it is laid over what the store says.

use domain::id::WebhookJobId;
use domain::webhook_job::{JobState, WebhookJob};
use store::{JobDetail, JobQuery, Page, Refusal};

use crate::app::App;
use crate::caller::Scope;
use crate::denied::Denied;
use crate::underway::Delivering;

impl App {
    /// Jobs. Where the query asks for other states only, jobs that are being sent count by their stored
    /// state, and are shown so.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn webhook_jobs(
        &self,
        scope: &Scope<'_>,
        mut query: JobQuery,
    ) -> Result<Page<WebhookJob>, Denied> {
        query.integration_id = scope.integration_id();
        let asked_for = query.filter.states.contains(&JobState::Delivering);
        let delivering = (query.filter.states.is_empty() || asked_for).then(|| self.delivering());
        if asked_for {
            query.delivering = delivering.as_ref().map_or_else(Vec::new, Delivering::ids);
        }
        let mut page = self.store.webhook_jobs(query).await?;
        if let Some(delivering) = delivering {
            for job in &mut page.items {
                delivering.show(job);
            }
        }
        Ok(page)
    }

    /// A job with its attempts and payload.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    pub async fn webhook_job(
        &self,
        scope: &Scope<'_>,
        id: WebhookJobId,
    ) -> Result<JobDetail, Denied> {
        let integration_id = scope.integration_id();
        let found = self.store.webhook_job(integration_id, id).await?;
        let mut detail = found.ok_or_else(|| Denied::does_not_exist("id"))?;
        self.delivering().show(&mut detail.job);
        Ok(detail)
    }

    /// Makes a waiting job due now; repeats a final one as a new job. With `rerender`, its payload is rendered anew.
    ///
    /// # Errors
    /// Refused where it does not exist, or cannot be sent (`id`), or not be rendered (`rerender`).
    pub async fn retry_webhook_job(
        &self,
        scope: &Scope<'_>,
        id: WebhookJobId,
        rerender: bool,
    ) -> Result<WebhookJob, Denied> {
        if rerender && self.delivering().ids().contains(&id) {
            let message = "is not possible while the job is on its way; try again in a moment";
            return Err(Denied::Refused(vec![Refusal::new("rerender", message)]));
        }
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        let retried = self
            .store
            .retry_webhook_job(integration_id, id, rerender, change);
        let mut retried = retried.await?;
        self.delivering().show(&mut retried);
        Ok(retried)
    }

    /// Withdraws a waiting job.
    ///
    /// # Errors
    /// Refused where it does not exist or is final (`id`).
    pub async fn cancel_webhook_job(
        &self,
        scope: &Scope<'_>,
        id: WebhookJobId,
    ) -> Result<WebhookJob, Denied> {
        let change = self.change(scope.caller());
        let integration_id = scope.integration_id();
        let canceled = self.store.cancel_webhook_job(integration_id, id, change);
        let mut job = canceled.await?;
        self.delivering().show(&mut job);
        Ok(job)
    }

    fn delivering(&self) -> Delivering {
        Delivering::now(&*self.underway)
    }
}
