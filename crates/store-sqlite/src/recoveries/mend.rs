//! Mending gaps: the jobs that are missing are made, behind those that are there; those that sleep are woken.

use domain::id::{OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use store::rules::recoveries::Came;

use super::make::{has_job, late_recipient};
use crate::accept::add_job;
use crate::fault::Fault;
use crate::webhook_jobs::{self, rerender};
use crate::writing::Writing;
use crate::{order_stages, release, webhook_out_subs};

/// Mends all of them; what was mended meanwhile is left as it is.
pub(super) fn mend(
    writing: &mut Writing,
    missing: &[(OrderStageId, WebhookOutSubId)],
    sleeping: &[WebhookJobId],
    now: Moment,
) -> Result<Came, Fault> {
    let mut came = Came::default();
    for (stage, sub) in missing {
        came.looked_at += 1;
        came.made += usize::from(make(writing, *stage, *sub, now)?);
    }
    for job in sleeping {
        came.looked_at += 1;
        came.made += usize::from(wake(writing, *job, now)?);
    }
    Ok(came)
}

/// Makes a job that is missing.
fn make(
    writing: &mut Writing,
    stage: OrderStageId,
    sub: WebhookOutSubId,
    now: Moment,
) -> Result<bool, Fault> {
    let Some(sub) = webhook_out_subs::of_id(&writing.connection, sub.0)? else {
        return Ok(false);
    };
    // It may have grown old since somebody found the gap.
    if order_stages::of_id(&writing.connection, stage.0)?.is_none() {
        return Ok(false);
    }
    let (order, stage) = rerender::past(&writing.connection, stage)?;
    if has_job(&writing.connection, &stage, &sub)? {
        return Ok(false);
    }
    let Some(recipient) = late_recipient(&writing.connection, &stage, &sub)? else {
        return Ok(false);
    };
    let payload = rerender::render(&writing.connection, &sub, &order, &stage)?;
    add_job(writing, &recipient, &stage, payload, now)?;
    Ok(true)
}

fn wake(writing: &mut Writing, job: WebhookJobId, now: Moment) -> Result<bool, Fault> {
    let job_now = webhook_jobs::read_job(&writing.connection, job)?;
    let is_asleep = job_now.is_some_and(|job| {
        !job.state.is_final() && job.next_attempt_at.is_none() && job.held_by.is_none()
    });
    if is_asleep {
        release::release(writing, job, now)?;
    }
    Ok(is_asleep)
}
