//! Trying a subscription out with an order that never was.

use domain::id::{IntegrationId, WebhookJobId, WebhookOutSubId};
use domain::payload::sample;
use domain::webhook_id::WebhookId;
use domain::webhook_job::WebhookJob;
use rand::RngExt;
use rusqlite::params;
use store::Change;

use super::find;
use crate::accept::Payloads;
use crate::fault::Fault;
use crate::payload_render_views::rendering::resolve;
use crate::webhook_jobs;
use crate::writing::Writing;

pub(crate) const INSERT: &str = "insert into webhook_jobs (integration_id, webhook_out_sub_id, payload_id, status, event, \
     webhook_id, state, ordered, attempts, job_faults, next_attempt_at, passed, test, \
     cancel_requested, view_failed, created_at) \
     values (?1, ?2, ?3, ?4, ?5, ?6, 'pending', 0, 0, 0, ?7, 0, 1, 0, ?8, ?7)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT];

pub(super) fn send_test(
    writing: &mut Writing,
    integration_id: IntegrationId,
    id: WebhookOutSubId,
    change: &Change,
) -> Result<WebhookJob, Fault> {
    let sub = find(&writing.connection, integration_id, id)?;
    if !sub.active {
        return Err(Fault::refused("id", "is not active; switch it on first"));
    }
    let connection = &writing.connection;
    let named = sub.payload_render_view.as_ref();
    let view = resolve(connection, integration_id, named, sub.version)?;
    let sample = sample(integration_id, change.at);
    let facts = sample.facts();
    let payload = Payloads::alone(connection, &view, sub.version, &facts)?;
    let webhook_id = WebhookId::new(change.at, writing.chance.random());
    writing.connection.prepare_cached(INSERT)?.execute(params![
        integration_id.0,
        id.0,
        payload.id,
        facts.stage,
        facts.event_slug,
        webhook_id.as_bytes(),
        change.at.microseconds(),
        payload.failed.as_deref(),
    ])?;
    let job = WebhookJobId(writing.connection.last_insert_rowid());
    webhook_jobs::start(writing, job, "send_test", change)
}
