//! Making the jobs of past changes for a subscription: one step's worth.

use domain::match_trace::{Filtering, Standing};
use domain::matching::Triggers;
use domain::order::OrderStage;
use domain::payload::StageFacts;
use domain::payload::template::filter::Filter;
use domain::recovery::Recovery;
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, WebhookOutSub};
use futures_util::FutureExt;
use store::RecoveryWork;
use store::rules::match_trace::decide;
use store::rules::recoveries::{Came, Kept, LOOK_MAX, page};

use crate::accept::{NewJob, Payloads, Recipient, Rendered, Then, insert_jobs, insert_payloads};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{ListPlan, one};
use crate::payload_render_views::rendering::resolve;
use crate::webhook_jobs::rerender;
use crate::writing::Writing;
use crate::{order_stages, webhook_out_subs};

// webhook_jobs_waiting_by_order, webhook_jobs_final_by_order
pub(crate) const HAS_JOB: &str = "select 1 from webhook_jobs where order_id = $1 and order_id is not null and order_stage_id = $2 \
     and webhook_out_sub_id = $3 limit 1";
// the same; those that stand in the ordering
pub(crate) const NEWER_OF_ORDER: &str = "select 1 from webhook_jobs where webhook_out_sub_id = $1 and order_id = $2 and order_id is not null \
     and sequence > $3 and ordered limit 1";
// webhook_jobs_waiting_by_subscriber, webhook_jobs_final_by_subscriber, from the newest
pub(crate) const NEWEST_STAGE: &str = "select order_stage_id from webhook_jobs where webhook_out_sub_id = $1 and ordered \
     and order_stage_id is not null order by id desc limit 1";
// primary keys
pub(crate) const STOOD: &str = "select r.standing from order_stages s join webhook_out_sub_revisions r \
     on r.integration_id = s.integration_id and r.webhook_out_sub_id = $2 and r.revision <= s.matching_revision \
     where s.id = $3 and s.integration_id = $1 order by r.revision desc limit 1";
// primary key; whoever accepts a further change of the order waits
pub(crate) const HOLD_ORDER: &str = "select id from orders where id = $1 for no key update";

#[cfg(test)]
pub(super) const STATEMENTS: &[&str] = &[HAS_JOB, NEWER_OF_ORDER, NEWEST_STAGE, STOOD, HOLD_ORDER];

/// Makes the jobs of changes for a subscription: in its order those that it missed, or outside of that all.
pub(super) async fn make(
    writing: &mut Writing,
    recovery: &Recovery,
    plan: &ListPlan,
    kept: &Kept,
    limit: usize,
    now: Moment,
) -> Result<Came, Fault> {
    let missed = matches!(kept.work, RecoveryWork::CatchUp { .. });
    let sub = recovery.webhook_out_sub_id.map_or(0, |id| id.0);
    let sub = webhook_out_subs::of_id(&writing.connection, sub)
        .await?
        .ok_or_else(|| Fault::corrupt("webhook_out_subs", sub, "is gone"))?;
    let page = page(kept.after, LOOK_MAX);
    let stages = plan.page(&writing.connection, &page, |connection, ids| {
        order_stages::of_these(connection, ids).boxed()
    });
    let stages = stages.await?;
    let triggers = Triggers::new(&sub.statuses, &sub.events);
    let filter = sub.filter.as_deref().map(Filter::compile);
    let named = sub.payload_render_view.as_ref();
    let view = resolve(&writing.connection, sub.integration_id, named, sub.version).await?;
    let mut came = Came::of(stages.items.len());
    for stage in stages.items {
        if came.made >= limit {
            came.goes_on = true;
            break;
        }
        came.look_at(stage.id.0);
        let status = stage.update_status.then_some(stage.stage.as_str());
        let event = stage.event_slug.as_deref();
        if !triggers.matches(status, event).is_match() {
            continue;
        }
        if missed && !is_missed(&writing.connection, &stage, &sub, kept).await? {
            continue;
        }
        let (order, stage) = rerender::past(&writing.connection, stage.id).await?;
        let facts = StageFacts::of(&order, &stage);
        if decide(filter.as_ref(), &facts) == Filtering::Stopped {
            continue;
        }
        let recipient = match missed {
            true => late_recipient(&writing.connection, &stage, &sub).await?,
            false => Some(outside(&sub)),
        };
        let Some(recipient) = recipient else { continue };
        let mut payloads = Payloads::default();
        let rendered = payloads.render(&view, sub.version, &facts);
        add_job(writing, recipient, &stage, (payloads, rendered), now).await?;
        came.made += 1;
    }
    Ok(came)
}

/// Stores a job of a past stage with its payload.
pub(super) async fn add_job(
    writing: &mut Writing,
    recipient: Recipient,
    stage: &OrderStage,
    (payloads, rendered): (Payloads, Rendered),
    now: Moment,
) -> Result<(), Fault> {
    let ids = insert_payloads(&writing.connection, &payloads.new).await?;
    let id = *ids.get(rendered.place).ok_or(Fault::Raced)?;
    let payload = (id, payloads.new[rendered.place].body.clone());
    let job = NewJob::of(recipient, stage, payload, rendered.failed, now);
    insert_jobs(writing, &[job], Then::More).await.map(|_| ())
}

/// Whether a subscription that catches up lacks a job for this stage, and was not switched off when it came since it began
/// to catch up.
async fn is_missed(
    connection: &Connection,
    stage: &OrderStage,
    sub: &WebhookOutSub,
    kept: &Kept,
) -> Result<bool, Fault> {
    if has_job(connection, stage, sub).await? {
        return Ok(false);
    }
    if stage.id.0 <= kept.last {
        return Ok(true);
    }
    let params: Params = &[&stage.integration_id.0, &sub.id.0, &stage.id.0];
    let stood = one(connection, STOOD, params, |row| {
        Ok(Standing::parse(row.try_get(0)?))
    });
    Ok(stood.await?.flatten().is_none_or(Standing::takes_jobs))
}

/// Whom the job of a past stage is for: within the ordering, unless a newer one was made before it. Then it comes
/// too late for that; and not at all to one who wants the newest only.
pub(super) async fn late_recipient(
    connection: &Connection,
    stage: &OrderStage,
    sub: &WebhookOutSub,
) -> Result<Option<Recipient>, Fault> {
    connection.query(HOLD_ORDER, &[&stage.order_id.0]).await?;
    let is_late = match sub.ordering {
        Ordering::Subscription => {
            crate::locks::hold_sequences(connection, [sub.id]).await?;
            let newest = one(connection, NEWEST_STAGE, &[&sub.id.0], |row| {
                Ok(row.try_get::<_, i64>(0)?)
            })
            .await;
            newest? > Some(stage.id.0)
        }
        Ordering::Order | Ordering::None => {
            let params: Params = &[&sub.id.0, &stage.order_id.0, &stage.sequence];
            let newer = one(connection, NEWER_OF_ORDER, params, |_| Ok(()));
            newer.await?.is_some()
        }
    };
    if is_late && sub.supersede {
        return Ok(None);
    }
    Ok(Some(if is_late {
        outside(sub)
    } else {
        Recipient {
            id: sub.id,
            ordering: sub.ordering,
            supersede: sub.supersede,
            ordered: true,
            fresh: false,
        }
    }))
}

/// Whom a job outside of the ordering is for.
fn outside(sub: &WebhookOutSub) -> Recipient {
    Recipient {
        id: sub.id,
        ordering: Ordering::None,
        supersede: false,
        ordered: false,
        fresh: false,
    }
}

/// Whether a stage has a job for the subscription, whoever made it.
pub(super) async fn has_job(
    connection: &Connection,
    stage: &OrderStage,
    sub: &WebhookOutSub,
) -> Result<bool, Fault> {
    let params: Params = &[&stage.order_id.0, &stage.id.0, &sub.id.0];
    let found = one(connection, HAS_JOB, params, |_| Ok(())).await?;
    Ok(found.is_some())
}
