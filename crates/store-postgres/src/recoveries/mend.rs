//! Mending gaps: the jobs that are missing are made, behind those that are there; those that sleep are woken.

use domain::id::{OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use store::rules::recoveries::Came;

use super::make::{add_job, has_job, late_recipient};
use crate::fault::Fault;
use crate::webhook_jobs::{self, rerender};
use crate::writing::Writing;
use crate::{order_stages, release, webhook_out_subs};

/// Mends all of them; what was mended meanwhile is left as it is.
pub(super) async fn mend(
    writing: &mut Writing,
    missing: &[(OrderStageId, WebhookOutSubId)],
    sleeping: &[WebhookJobId],
    now: Moment,
) -> Result<Came, Fault> {
    let mut came = Came::default();
    for (stage, sub) in missing {
        came.looked_at += 1;
        came.made += usize::from(make(writing, *stage, *sub, now).await?);
    }
    for job in sleeping {
        came.looked_at += 1;
        came.made += usize::from(wake(writing, *job, now).await?);
    }
    Ok(came)
}

/// Makes a job that is missing.
async fn make(
    writing: &mut Writing,
    stage: OrderStageId,
    sub: WebhookOutSubId,
    now: Moment,
) -> Result<bool, Fault> {
    let connection = &writing.connection;
    let Some(sub) = webhook_out_subs::of_id(connection, sub.0).await? else {
        return Ok(false);
    };
    // It may have grown old since somebody found the gap.
    if order_stages::of_id(connection, stage.0).await?.is_none() {
        return Ok(false);
    }
    let (order, stage) = rerender::past(connection, stage).await?;
    if has_job(connection, &stage, &sub).await? {
        return Ok(false);
    }
    let Some(recipient) = late_recipient(connection, &stage, &sub).await? else {
        return Ok(false);
    };
    let rendered = rerender::render(connection, &sub, &order, &stage).await?;
    add_job(writing, recipient, &stage, rendered, now).await?;
    Ok(true)
}

async fn wake(writing: &mut Writing, job: WebhookJobId, now: Moment) -> Result<bool, Fault> {
    let job_now = webhook_jobs::read_job(&writing.connection, job).await?;
    let is_asleep = job_now.is_some_and(|job| {
        !job.state.is_final() && job.next_attempt_at.is_none() && job.held_by.is_none()
    });
    if is_asleep {
        release::release(writing, job, now).await?;
    }
    Ok(is_asleep)
}
