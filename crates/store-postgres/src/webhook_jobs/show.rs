//! A job with all that belongs to it.

use domain::id::{IntegrationId, WebhookJobId};
use domain::webhook_job::{AttemptOutcome, WebhookAttempt, WebhookJob};
use domain::webhook_out_sub::Ordering;
use store::JobDetail;
use tokio_postgres::Row;

use super::read_job;
use crate::accept::Body;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, moment, number, one};

/// Attempts that are shown of a job, the last ones: the default schedule makes fewer than 100 in its three days, but a
/// subscription that fails between long rests goes on for longer.
const ATTEMPTS_SHOWN_MAX: i64 = 200;

// primary key
pub(crate) const ATTEMPTS: &str = "select number, started_at, callback_url, outcome, status_code, fault, message, address, timing, \
     answer_headers, answer_body, answer_body_truncated from webhook_attempts \
     where webhook_job_id = $1 order by number desc limit $2";
// primary keys
pub(crate) const PAYLOAD: &str =
    "select p.body from webhook_jobs j join payloads p on p.id = j.payload_id where j.id = $1";
// primary keys
pub(crate) const STANDING: &str = "select j.ordered, s.ordering, s.active, s.deleted_at is not null as deleted \
     from webhook_jobs j join webhook_out_subs s on s.id = j.webhook_out_sub_id where j.id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ATTEMPTS, PAYLOAD, STANDING];

/// How a job stands to others, and its subscription.
pub(super) struct Standing {
    /// Whether it waits for others, and holds them.
    pub(super) is_ordered: bool,
    /// By which rule.
    pub(super) ordering: Ordering,
    pub(super) is_active: bool,
    pub(super) is_deleted: bool,
}

pub(super) async fn show(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookJobId,
) -> Result<Option<JobDetail>, Fault> {
    let Some(job) = of_integration(connection, integration_id, id).await? else {
        return Ok(None);
    };
    let payload = one(connection, PAYLOAD, &[&id.0], |row| {
        Ok(row.try_get::<_, Body>(0)?.0)
    })
    .await;
    Ok(Some(JobDetail {
        payload: payload?,
        attempts: attempts(connection, id).await?,
        job,
    }))
}

/// The job, if it belongs to the integration.
pub(super) async fn of_integration(
    connection: &Connection,
    integration_id: IntegrationId,
    id: WebhookJobId,
) -> Result<Option<WebhookJob>, Fault> {
    let job = read_job(connection, id).await?;
    Ok(job.filter(|job| job.integration_id == integration_id))
}

pub(super) async fn standing(connection: &Connection, id: WebhookJobId) -> Result<Standing, Fault> {
    let corrupt = |reason: &str| Fault::corrupt("webhook_jobs", id.0, reason);
    let standing = one(connection, STANDING, &[&id.0], |row| {
        let ordering = Ordering::parse(row.try_get("ordering")?);
        Ok(Standing {
            is_ordered: row.try_get("ordered")?,
            ordering: ordering.ok_or_else(|| corrupt("unknown ordering"))?,
            is_active: row.try_get("active")?,
            is_deleted: row.try_get("deleted")?,
        })
    })
    .await;
    let standing = standing?;
    standing.ok_or_else(|| corrupt("has no subscription"))
}

async fn attempts(connection: &Connection, id: WebhookJobId) -> Result<Vec<WebhookAttempt>, Fault> {
    let params: Params = &[&id.0, &ATTEMPTS_SHOWN_MAX];
    let mut attempts = all(connection, ATTEMPTS, params, |row| read_attempt(id, row)).await?;
    attempts.reverse();
    Ok(attempts)
}

fn read_attempt(id: WebhookJobId, row: &Row) -> Result<WebhookAttempt, Fault> {
    let corrupt = |reason: String| Fault::corrupt("webhook_attempts", id.0, reason);
    let outcome = AttemptOutcome::parse(row.try_get("outcome")?);
    let timing: &str = row.try_get("timing")?;
    let headers: &str = row.try_get("answer_headers")?;
    let status_code: Option<i64> = row.try_get("status_code")?;
    Ok(WebhookAttempt {
        number: number(row, "number")?,
        started_at: moment(row, "started_at")?,
        callback_url: row.try_get("callback_url")?,
        outcome: outcome.ok_or_else(|| corrupt("unknown outcome".to_owned()))?,
        status_code: status_code.and_then(|code| u16::try_from(code).ok()),
        fault: row.try_get("fault")?,
        message: row.try_get("message")?,
        address: row.try_get("address")?,
        timing: serde_json::from_str(timing).map_err(|error| corrupt(error.to_string()))?,
        answer_headers: serde_json::from_str(headers)
            .map_err(|error| corrupt(error.to_string()))?,
        answer_body: row.try_get("answer_body")?,
        answer_body_truncated: row.try_get("answer_body_truncated")?,
    })
}
