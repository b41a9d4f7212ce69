//! Retrying many jobs: one step's worth.

use domain::time::Moment;
use domain::webhook_job::WebhookJob;
use futures_util::FutureExt;

use store::rules::recoveries::{Came, Kept, LOOK_MAX, page};

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{ListPlan, one};
use crate::webhook_jobs;
use crate::writing::Writing;

// webhook_jobs_waiting_by_order, webhook_jobs_final_by_order
pub(crate) const IS_LATEST: &str = "select 1 from webhook_jobs where order_id = $1 and order_id is not null and order_stage_id = $2 \
     and webhook_out_sub_id = $3 and id > $4 limit 1";

/// Retries the next jobs.
pub(super) async fn retry(
    writing: &mut Writing,
    plan: &ListPlan,
    kept: &Kept,
    rerender: bool,
    limit: usize,
    now: Moment,
) -> Result<Came, Fault> {
    let page = page(kept.after, LOOK_MAX);
    let jobs = plan.page(&writing.connection, &page, |connection, ids| {
        webhook_jobs::read_jobs(connection, ids).boxed()
    });
    let jobs = jobs.await?;
    let mut came = Came::of(jobs.items.len());
    for job in jobs.items {
        if came.made >= limit {
            came.goes_on = true;
            break;
        }
        came.look_at(job.id.0);
        let rerender = rerender && job.order_stage_id.is_some();
        // What nobody would send is left as it is; so is what was repeated before, whatever became of that, and what has lost
        // its payload.
        if webhook_jobs::is_sent(&writing.connection, job.id).await?
            && is_latest(&writing.connection, &job).await?
            && webhook_jobs::lost(&writing.connection, &job, rerender)
                .await?
                .is_none()
        {
            webhook_jobs::retry_one(writing, &job, rerender, now).await?;
            came.made += usize::from(job.state.is_final() || job.held_by.is_none());
        }
    }
    Ok(came)
}

/// Whether no later job tells the same change to the same subscription.
async fn is_latest(connection: &Connection, job: &WebhookJob) -> Result<bool, Fault> {
    let (order, stage) = (
        job.order_id.map(|id| id.0),
        job.order_stage_id.map(|id| id.0),
    );
    let params: Params = &[&order, &stage, &job.webhook_out_sub_id.0, &job.id.0];
    let later = one(connection, IS_LATEST, params, |_| Ok(())).await?;
    Ok(later.is_none())
}
