//! Trying a subscription out with an order that never was.

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::payload::sample;
use domain::webhook_job::WebhookJob;
use domain::webhook_out_sub::Ordering;
use store::Change;

use super::find;
use crate::accept::{NewJob, Payloads, Recipient, Then, insert_jobs, insert_payloads};
use crate::fault::Fault;
use crate::payload_render_views::rendering::resolve;
use crate::webhook_jobs;
use crate::writing::Writing;

pub(super) async fn send_test(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let sub = find(&writing.connection, integration_id, id).await?;
    if !sub.active {
        return Err(Fault::refused("id", "is not active; switch it on first"));
    }
    let named = sub.payload_render_view.as_ref();
    let view = resolve(&writing.connection, integration_id, named, sub.version).await?;
    let sample = sample(integration_id, change.at);
    let facts = sample.facts();
    let mut payloads = Payloads::default();
    let rendered = payloads.render(&view, sub.version, &facts);
    let ids = insert_payloads(&writing.connection, &payloads.new).await?;
    let job = NewJob {
        integration_id,
        recipient: Recipient {
            id,
            ordering: Ordering::None,
            supersede: false,
            ordered: false,
            fresh: true,
        },
        order_id: None,
        order_stage_id: None,
        sequence: None,
        payload_id: *ids.get(rendered.place).ok_or(Fault::Raced)?,
        payload: payloads.new[rendered.place].body.clone(),
        view_failed: rendered.failed,
        status: facts.stage.to_owned(),
        event: facts.event_slug.map(str::to_owned),
        test: true,
        retry_of: None,
        at: change.at,
    };
    let made = insert_jobs(writing, &[job], Then::More).await?;
    let made = made.first().ok_or(Fault::Raced)?;
    webhook_jobs::tell_made(&writing.connection, *made, "send_test", change).await
}
