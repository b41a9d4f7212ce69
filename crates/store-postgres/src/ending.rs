//! The end of a job: it goes from those that wait to those that are final.

use domain::id::WebhookJobId;
use domain::time::Moment;
use domain::webhook_job::JobState;

use crate::connection::{Connection, Params};
use crate::fault::Fault;

// primary keys
pub(crate) const END: &str = "with gone as (delete from webhook_jobs_waiting where id = any($1) returning *) \
     insert into webhook_jobs_final (id, integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, status, event, \
     webhook_id, state, ordered, attempts, job_faults, first_attempt_clock, status_code, passed, test, retry_of, late, cancel_requested, \
     view_failed, created_at, finished_at) \
     select id, integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, status, event, \
     webhook_id, $2, ordered, attempts, job_faults, first_attempt_clock, status_code, passed, test, retry_of, late, cancel_requested, \
     view_failed, created_at, $3 from gone";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[END];

/// Ends jobs that wait, without a further attempt; how many did wait.
pub(crate) async fn end(
    connection: &Connection,
    jobs: &[WebhookJobId],
    state: JobState,
    at: Moment,
) -> Result<u64, Fault> {
    let ids: Vec<i64> = jobs.iter().map(|id| id.0).collect();
    let params: Params = &[&ids, &state.name(), &at.microseconds()];
    connection.execute(END, params).await
}
