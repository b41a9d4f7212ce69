//! Webhook jobs as people see them: found, read, repeated, withdrawn.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::webhook_id::WebhookId;
use domain::webhook_job::{JobState, WebhookJob};
use domain::webhook_out_sub::Ordering;
use rusqlite::{Connection, Row};
use store::{Change, JobDetail, JobQuery, Page, Rejection, StoreError, Waiting, WebhookJobs};

use crate::fault::Fault;
use crate::list_query::{moment, moment_if_any, one};
use crate::open::SqliteStore;
use crate::release;

mod by_hand;
mod list;
pub(crate) mod rerender;
mod search;
mod show;
mod waiting;

pub(crate) use self::by_hand::{is_sent, lost, retry_one, start};
pub(crate) use self::list::plan;

// primary keys
pub(crate) const BY_ID: &str = "select j.id, j.integration_id, j.webhook_out_sub_id, s.key as webhook_subscriber, \
     s.callback_url, j.order_id, j.order_stage_id, o.external_order_id, j.sequence, j.status, j.event, \
     o.address, j.state, j.webhook_id, j.attempts, j.status_code, j.next_attempt_at, j.passed, j.test, \
     j.retry_of, j.cancel_requested, j.view_failed, j.created_at, j.finished_at, \
     j.ordered, s.ordering \
     from webhook_jobs j join webhook_out_subs s on s.id = j.webhook_out_sub_id \
     left join orders o on o.id = j.order_id where j.id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_ID],
    by_hand::STATEMENTS,
    list::STATEMENTS,
    rerender::STATEMENTS,
    show::STATEMENTS,
    waiting::STATEMENTS,
];

#[async_trait]
impl WebhookJobs for SqliteStore {
    async fn webhook_jobs(&self, query: JobQuery) -> Result<Page<WebhookJob>, StoreError> {
        self.read(move |connection| {
            list::plan(connection, &query)?.page(connection, &query.list, |connection, id| {
                read_job(connection, WebhookJobId(id))
            })
        })
        .await
    }

    async fn waiting_webhook_jobs(&self) -> Result<Waiting, StoreError> {
        self.read(waiting::waiting).await
    }

    async fn webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
    ) -> Result<Option<JobDetail>, StoreError> {
        self.read(move |connection| show::show(connection, integration_id, id))
            .await
    }

    async fn retry_webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
        rerender: bool,
        change: Change,
    ) -> Result<WebhookJob, Rejection> {
        self.write(move |writing| by_hand::retry(writing, integration_id, id, rerender, &change))
            .await
    }

    async fn cancel_webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
        change: Change,
    ) -> Result<WebhookJob, Rejection> {
        self.write(move |writing| by_hand::cancel(writing, integration_id, id, &change))
            .await
    }
}

/// A job as it is shown.
pub(crate) fn read_job(
    connection: &Connection,
    id: WebhookJobId,
) -> Result<Option<WebhookJob>, Fault> {
    one(connection, BY_ID, [id.0], |row| read(connection, row))
}

fn read(connection: &Connection, row: &Row<'_>) -> Result<WebhookJob, Fault> {
    let id = row.get("id")?;
    let state: String = row.get("state")?;
    Ok(WebhookJob {
        id: WebhookJobId(id),
        integration_id: IntegrationId(row.get("integration_id")?),
        webhook_out_sub_id: WebhookOutSubId(row.get("webhook_out_sub_id")?),
        webhook_subscriber: row.get("webhook_subscriber")?,
        callback_url: row.get("callback_url")?,
        order_id: row.get::<_, Option<i64>>("order_id")?.map(OrderId),
        order_stage_id: row
            .get::<_, Option<i64>>("order_stage_id")?
            .map(OrderStageId),
        external_order_id: row.get("external_order_id")?,
        sequence: row.get("sequence")?,
        status: row
            .get::<_, Option<String>>("status")?
            .filter(|status| !status.is_empty()),
        event: row.get("event")?,
        address: row.get("address")?,
        state: JobState::parse(&state)
            .ok_or_else(|| Fault::corrupt("webhook_jobs", id, "unknown state"))?,
        webhook_id: WebhookId::from_bytes(row.get("webhook_id")?),
        attempt_count: row.get("attempts")?,
        status_code: row.get("status_code")?,
        next_attempt_at: moment_if_any(row, "next_attempt_at")?,
        held_by: held_by(connection, row)?,
        passed: row.get("passed")?,
        test: row.get("test")?,
        retry_of: row.get::<_, Option<i64>>("retry_of")?.map(WebhookJobId),
        cancel_requested: row.get("cancel_requested")?,
        payload_render_view_failed: row.get("view_failed")?,
        created_at: moment(row, "created_at")?,
        finished_at: moment_if_any(row, "finished_at")?,
    })
}

/// The earlier job that a waiting one waits for. Few jobs wait for others: the rest costs nothing.
fn held_by(connection: &Connection, row: &Row<'_>) -> Result<Option<WebhookJobId>, Fault> {
    let id: i64 = row.get("id")?;
    let is_held = row.get::<_, Option<i64>>("finished_at")?.is_none()
        && row.get::<_, Option<i64>>("next_attempt_at")?.is_none()
        && row.get("ordered")?;
    if !is_held {
        return Ok(None);
    }
    let ordering: String = row.get("ordering")?;
    let ordering = Ordering::parse(&ordering)
        .ok_or_else(|| Fault::corrupt("webhook_jobs", id, "unknown ordering"))?;
    let sub = WebhookOutSubId(row.get("webhook_out_sub_id")?);
    let order = row.get::<_, Option<i64>>("order_id")?.map(OrderId);
    release::holder(connection, sub, order, ordering, id)
}
