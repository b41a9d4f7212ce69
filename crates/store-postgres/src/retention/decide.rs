//! What of a walk goes, and what stays.

use store::rules::retention::{Job, Stage, What};
use store::{Removable, Removed};

use super::remove;
use super::walk::Walk;
use crate::connection::Params;
use crate::fault::Fault;

// webhook_jobs_waiting_late, webhook_jobs_final_late
pub(crate) const LATE_STAYS: &str = "select 1 from webhook_jobs where order_stage_id = $1 and late \
     and (finished_at is null or finished_at > $2) limit 1";
// order_stages_by_order
pub(crate) const LATER_STAGE: &str =
    "select 1 from order_stages where order_id = $1 and id > $2 limit 1";
// order_stages_by_order
pub(crate) const EARLIER_STAGE: &str =
    "select 1 from order_stages where order_id = $1 and id < $2 limit 1";
// webhook_jobs_waiting_by_order, webhook_jobs_final_by_order, asked for the last change of an order only
pub(crate) const ORDERS_JOB_STAYS: &str = "select 1 from webhook_jobs where order_id = $1 and order_id is not null \
     and (finished_at is null or finished_at > $2) limit 1";
// primary key
pub(crate) const ORDER_STAYS: &str = "select 1 from orders where id = $1 and updated_at > $2";
// primary key
pub(crate) const STAGE_IS_THERE: &str = "select 1 from order_stages where id = $1";
// webhook_jobs_waiting_by_order, webhook_jobs_final_by_order, asked for late jobs only
pub(crate) const LATE_PAYLOAD_STAYS: &str = "select 1 from webhook_jobs where order_id = $1 and order_id is not null \
     and payload_id = $2 and (finished_at is null or finished_at > $3) limit 1";
// webhook_jobs_waiting_apart, webhook_jobs_final_apart
pub(crate) const APART_PAYLOAD_STAYS: &str = "select 1 from webhook_jobs where payload_id = $1 \
     and order_stage_id is null and (finished_at is null or finished_at > $2) limit 1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    LATE_STAYS,
    LATER_STAGE,
    EARLIER_STAGE,
    ORDERS_JOB_STAYS,
    ORDER_STAYS,
    STAGE_IS_THERE,
    LATE_PAYLOAD_STAYS,
    APART_PAYLOAD_STAYS,
];

impl Walk<'_> {
    /// Decides about a change with its jobs.
    pub(super) async fn decide(
        &mut self,
        stage: &Stage,
        own: &[Job],
        removed: &mut Removed,
    ) -> Result<(), Fault> {
        let goes = own.iter().all(|job| self.may_go(job))
            && !self.finds(LATE_STAYS, &[&stage.id, &self.before]).await?;
        let (to, connection) = (&mut self.walked, self.connection);
        to.order_stage = stage.id;
        if let Some(last) = own.last() {
            to.webhook_job = last.id;
        }
        if !goes {
            return Ok(());
        }
        if self.what == What::Payloads {
            return self.remove_payloads(own, removed).await;
        }
        let is_last = !self.finds(LATER_STAGE, &[&stage.order, &stage.id]).await?;
        if is_last && self.order_stays(stage).await? {
            return Ok(());
        }
        self.remove_payloads(own, removed).await?;
        remove::stage(connection, stage.id, removed).await?;
        if is_last {
            remove::order(connection, stage.order, removed).await?;
        }
        self.left = self.left.saturating_sub(1);
        // Those that are left over are met by the next step, without their change.
        for job in own {
            self.walked.webhook_job = job.id - 1;
            if self.left == 0 {
                return Ok(());
            }
            self.remove_job(job, removed).await?;
            self.walked.webhook_job = job.id;
        }
        Ok(())
    }

    /// Whether an order stays though none of its changes but this one would keep it.
    async fn order_stays(&self, stage: &Stage) -> Result<bool, Fault> {
        let order = stage.order;
        Ok(self.finds(EARLIER_STAGE, &[&order, &stage.id]).await?
            || self
                .finds(ORDERS_JOB_STAYS, &[&order, &self.before])
                .await?
            || self.finds(ORDER_STAYS, &[&order, &self.before]).await?)
    }

    /// Decides about a job that was not made with a change, or is left over from one that is gone.
    pub(super) async fn alone(&mut self, job: &Job, removed: &mut Removed) -> Result<(), Fault> {
        if !self.may_go(job) {
            return Ok(());
        }
        let payload_stays = match job.stage {
            None => {
                self.finds(APART_PAYLOAD_STAYS, &[&job.payload, &self.before])
                    .await?
            }
            Some(stage) if self.finds(STAGE_IS_THERE, &[&stage]).await? => {
                // It goes with its change.
                if self.what == What::Changes {
                    return Ok(());
                }
                let params: Params = &[&job.order, &job.payload, &self.before];
                self.finds(LATE_PAYLOAD_STAYS, params).await?
            }
            Some(_) => false,
        };
        if !payload_stays {
            self.remove_payloads(std::slice::from_ref(job), removed)
                .await?;
        }
        if self.what == What::Changes {
            self.remove_job(job, removed).await?;
        }
        Ok(())
    }

    async fn remove_job(&mut self, job: &Job, removed: &mut Removed) -> Result<(), Fault> {
        self.left = self.left.saturating_sub(1);
        remove::job(self.connection, job.id, removed).await
    }

    async fn remove_payloads(&mut self, jobs: &[Job], removed: &mut Removed) -> Result<(), Fault> {
        let mut payloads: Vec<i64> = jobs.iter().map(|job| job.payload).collect();
        payloads.sort_unstable();
        payloads.dedup();
        for payload in payloads {
            let count = remove::payload(self.connection, payload).await?;
            removed.add(Removable::Payloads, count);
            if self.what == What::Payloads {
                self.left = self.left.saturating_sub(count);
            }
        }
        Ok(())
    }

    fn may_go(&self, job: &Job) -> bool {
        job.finished_at.is_some_and(|at| at <= self.before)
    }

    async fn finds(&self, sql: &str, params: Params<'_>) -> Result<bool, Fault> {
        Ok(!self.connection.query(sql, params).await?.is_empty())
    }
}
