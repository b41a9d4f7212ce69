//! Webhook jobs as people see them: found, read, repeated, withdrawn.

use async_trait::async_trait;
use domain::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::webhook_id::WebhookId;
use domain::webhook_job::{JobState, WebhookJob};
use domain::webhook_out_sub::Ordering;
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use store::{Change, JobDetail, JobQuery, Page, Rejection, StoreError, Waiting, WebhookJobs};
use tokio_postgres::Row;
use uuid::Uuid;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::{moment, moment_if_any, number};
use crate::open::PostgresStore;
use crate::release;

mod by_hand;
mod list;
pub(crate) mod rerender;
mod search;
mod show;
mod waiting;

pub(crate) use self::by_hand::{is_sent, lost, retry_one, tell_made};
pub(crate) use self::list::plan;

// primary keys
pub(crate) const BY_IDS: &str = "select j.id, j.integration_id, j.webhook_out_sub_id, s.key as webhook_subscriber, \
     s.callback_url, j.order_id, j.order_stage_id, o.external_order_id, j.sequence, j.status, j.event, \
     o.address, j.state, j.webhook_id, j.attempts, j.status_code, j.next_attempt_at, j.passed, j.test, \
     j.retry_of, j.cancel_requested, j.view_failed, j.created_at, j.finished_at, \
     j.ordered, s.ordering \
     from webhook_jobs j join webhook_out_subs s on s.id = j.webhook_out_sub_id \
     left join orders o on o.id = j.order_id where j.id = any($1)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[BY_IDS],
    by_hand::STATEMENTS,
    list::STATEMENTS,
    rerender::STATEMENTS,
    show::STATEMENTS,
    waiting::STATEMENTS,
];

#[async_trait]
impl WebhookJobs for PostgresStore {
    async fn webhook_jobs(&self, query: JobQuery) -> Result<Page<WebhookJob>, StoreError> {
        let connection = self.connection().await?;
        let plan = list::plan(&connection, &query).await?;
        let page = plan.page(&connection, &query.list, |connection, ids| {
            read_jobs(connection, ids).boxed()
        });
        Ok(page.await?)
    }

    async fn waiting_webhook_jobs(&self) -> Result<Waiting, StoreError> {
        let connection = self.connection().await?;
        Ok(waiting::waiting(&connection).await?)
    }

    async fn webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
    ) -> Result<Option<JobDetail>, StoreError> {
        let connection = self.connection().await?;
        Ok(show::show(&connection, integration_id, id).await?)
    }

    async fn retry_webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
        rerender: bool,
        change: Change,
    ) -> Result<WebhookJob, Rejection> {
        let asked = (integration_id, id, rerender, change);
        self.write(asked, |writing, (integration_id, id, rerender, change)| {
            by_hand::retry(writing, *integration_id, *id, *rerender, change).boxed()
        })
        .await
    }

    async fn cancel_webhook_job(
        &self,
        integration_id: IntegrationId,
        id: WebhookJobId,
        change: Change,
    ) -> Result<WebhookJob, Rejection> {
        let asked = (integration_id, id, change);
        self.write(asked, |writing, (integration_id, id, change)| {
            by_hand::cancel(writing, *integration_id, *id, change).boxed()
        })
        .await
    }
}

/// A job as it is shown.
pub(crate) async fn read_job(
    connection: &Connection,
    id: WebhookJobId,
) -> Result<Option<WebhookJob>, Fault> {
    let mut jobs = read_jobs(connection, &[id.0]).await?;
    Ok(jobs.pop().map(|(_, job)| job))
}

/// The jobs with these ids, as they are shown.
pub(crate) async fn read_jobs(
    connection: &Connection,
    ids: &[i64],
) -> Result<Vec<(i64, WebhookJob)>, Fault> {
    let rows = connection.query(BY_IDS, &[&ids]).await?;
    let jobs = rows.iter().map(|row| read(connection, row));
    try_join_all(jobs).await
}

async fn read(connection: &Connection, row: &Row) -> Result<(i64, WebhookJob), Fault> {
    let id = row.try_get("id")?;
    let state = JobState::parse(row.try_get("state")?);
    let order_id: Option<i64> = row.try_get("order_id")?;
    let order_stage_id: Option<i64> = row.try_get("order_stage_id")?;
    let retry_of: Option<i64> = row.try_get("retry_of")?;
    let webhook_id: Uuid = row.try_get("webhook_id")?;
    let status: Option<String> = row.try_get("status")?;
    let status_code: Option<i64> = row.try_get("status_code")?;
    let job = WebhookJob {
        id: WebhookJobId(id),
        integration_id: IntegrationId(row.try_get("integration_id")?),
        webhook_out_sub_id: WebhookOutSubId(row.try_get("webhook_out_sub_id")?),
        webhook_subscriber: row.try_get("webhook_subscriber")?,
        callback_url: row.try_get("callback_url")?,
        order_id: order_id.map(OrderId),
        order_stage_id: order_stage_id.map(OrderStageId),
        external_order_id: row.try_get("external_order_id")?,
        sequence: row.try_get("sequence")?,
        status: status.filter(|status| !status.is_empty()),
        event: row.try_get("event")?,
        address: row.try_get("address")?,
        state: state.ok_or_else(|| Fault::corrupt("webhook_jobs", id, "unknown state"))?,
        webhook_id: WebhookId::from_bytes(webhook_id.into_bytes()),
        attempt_count: number(row, "attempts")?,
        status_code: status_code.and_then(|code| u16::try_from(code).ok()),
        next_attempt_at: moment_if_any(row, "next_attempt_at")?,
        held_by: held_by(connection, row).await?,
        passed: row.try_get("passed")?,
        test: row.try_get("test")?,
        retry_of: retry_of.map(WebhookJobId),
        cancel_requested: row.try_get("cancel_requested")?,
        payload_render_view_failed: row.try_get("view_failed")?,
        created_at: moment(row, "created_at")?,
        finished_at: moment_if_any(row, "finished_at")?,
    };
    Ok((id, job))
}

/// The earlier job that a waiting one waits for. Few jobs wait for others: the rest costs nothing.
async fn held_by(connection: &Connection, row: &Row) -> Result<Option<WebhookJobId>, Fault> {
    let id: i64 = row.try_get("id")?;
    let is_held = moment_if_any(row, "finished_at")?.is_none()
        && moment_if_any(row, "next_attempt_at")?.is_none()
        && row.try_get("ordered")?;
    if !is_held {
        return Ok(None);
    }
    let ordering = Ordering::parse(row.try_get("ordering")?);
    let ordering =
        ordering.ok_or_else(|| Fault::corrupt("webhook_jobs", id, "unknown ordering"))?;
    let sub = WebhookOutSubId(row.try_get("webhook_out_sub_id")?);
    let order: Option<i64> = row.try_get("order_id")?;
    release::holder(connection, sub, order.map(OrderId), ordering, id).await
}
