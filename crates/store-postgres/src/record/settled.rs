//! Jobs after an attempt, stored: the attempts, those that are tried again, and those that are final.

use std::collections::HashMap;

use domain::id::{IntegrationId, WebhookJobId};
use domain::time::Moment;
use domain::webhook_job::{JobState, WebhookAttempt};
use store::Outcome;
use tokio::try_join;

use super::ended_at;
use crate::connection::{Connection, Params};
use crate::fault::Fault;

pub(crate) const INSERT_ATTEMPTS: &str = "insert into webhook_attempts (webhook_job_id, number, integration_id, started_at, callback_url, outcome, \
     status_code, fault, message, address, timing, answer_headers, answer_body, answer_body_truncated) \
     select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[], \
     $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::boolean[]) on conflict do nothing";
// primary key
pub(crate) const RETRY: &str = "update webhook_jobs_waiting w set state = 'retrying', attempts = u.attempts, job_faults = u.job_faults, \
     first_attempt_clock = u.first_attempt_clock, status_code = u.status_code, next_attempt_at = u.next_attempt_at, passed = u.passed \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::boolean[]) \
     as u (id, attempts, job_faults, first_attempt_clock, status_code, next_attempt_at, passed) where w.id = u.id";
// primary keys
pub(crate) const FINISH: &str = "with gone as (delete from webhook_jobs_waiting where id = any($1::bigint[]) returning *) \
     insert into webhook_jobs_final (id, integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, status, event, \
     webhook_id, state, ordered, attempts, job_faults, first_attempt_clock, status_code, passed, test, retry_of, late, cancel_requested, \
     view_failed, created_at, finished_at) \
     select g.id, g.integration_id, g.webhook_out_sub_id, g.order_id, g.order_stage_id, g.sequence, g.payload_id, g.status, g.event, \
     g.webhook_id, u.state, g.ordered, u.attempts, u.job_faults, u.first_attempt_clock, u.status_code, u.passed, g.test, g.retry_of, g.late, \
     g.cancel_requested, g.view_failed, g.created_at, u.finished_at \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], \
     $8::boolean[]) as u (id, attempts, job_faults, first_attempt_clock, status_code, state, finished_at, passed) \
     join gone g on g.id = u.id";
// primary key
pub(crate) const CORRECT: &str = "update webhook_jobs_final f set state = u.state, attempts = u.attempts, job_faults = u.job_faults, \
     first_attempt_clock = u.first_attempt_clock, status_code = u.status_code, finished_at = u.finished_at, passed = u.passed \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::boolean[]) \
     as u (id, attempts, job_faults, first_attempt_clock, status_code, state, finished_at, passed) where f.id = u.id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT_ATTEMPTS, RETRY, FINISH, CORRECT];

/// A job after an attempt.
pub(super) struct Settled<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) integration: IntegrationId,
    pub(super) state: JobState,
    pub(super) next_attempt_at: Option<Moment>,
    pub(super) passed: bool,
    /// Whether it was final before, though it was in flight.
    pub(super) was_withdrawn: bool,
}

impl Settled<'_> {
    pub(super) fn is_final(&self) -> bool {
        self.next_attempt_at.is_none()
    }
}

/// Stores them. Of several outcomes of one job the last one counts.
pub(super) async fn store(connection: &Connection, settled: &[Settled<'_>]) -> Result<(), Fault> {
    if settled.is_empty() {
        return Ok(());
    }
    let last: HashMap<WebhookJobId, &Settled<'_>> = settled
        .iter()
        .map(|one| (one.outcome.job_id, one))
        .collect();
    let (finals, retries): (Vec<_>, Vec<_>) = last.into_values().partition(|one| one.is_final());
    let (corrected, finished): (Vec<_>, Vec<_>) =
        finals.into_iter().partition(|one| one.was_withdrawn);
    try_join!(
        insert_attempts(connection, settled),
        retry(connection, &retries),
        end(connection, FINISH, &finished),
        end(connection, CORRECT, &corrected),
    )?;
    Ok(())
}

async fn insert_attempts(connection: &Connection, settled: &[Settled<'_>]) -> Result<(), Fault> {
    let attempts = || settled.iter().map(|one| &one.outcome.attempt);
    let json = |value: fn(&WebhookAttempt) -> serde_json::Result<String>| {
        attempts()
            .map(value)
            .collect::<serde_json::Result<Vec<_>>>()
    };
    let jobs: Vec<i64> = settled.iter().map(|one| one.outcome.job_id.0).collect();
    let integrations: Vec<i64> = settled.iter().map(|one| one.integration.0).collect();
    let texts = |value: fn(&WebhookAttempt) -> Option<&str>| -> Vec<Option<&str>> {
        attempts().map(value).collect()
    };
    let outcomes: Vec<&str> = attempts().map(|one| one.outcome.name()).collect();
    let params: Params = &[
        &jobs,
        &attempts()
            .map(|one| i64::from(one.number))
            .collect::<Vec<_>>(),
        &integrations,
        &attempts()
            .map(|one| one.started_at.microseconds())
            .collect::<Vec<_>>(),
        &texts(|one| Some(&one.callback_url)),
        &outcomes,
        &codes(settled.iter()),
        &texts(|one| one.fault.as_deref()),
        &texts(|one| one.message.as_deref()),
        &texts(|one| one.address.as_deref()),
        &json(|one| serde_json::to_string(&one.timing))?,
        &json(|one| serde_json::to_string(&one.answer_headers))?,
        &texts(|one| one.answer_body.as_deref()),
        &attempts()
            .map(|one| one.answer_body_truncated)
            .collect::<Vec<_>>(),
    ];
    connection.execute(INSERT_ATTEMPTS, params).await?;
    Ok(())
}

/// What all jobs keep of an attempt, column by column.
struct Columns {
    ids: Vec<i64>,
    attempts: Vec<i64>,
    job_faults: Vec<i64>,
    clocks: Vec<i64>,
    codes: Vec<Option<i64>>,
}

impl Columns {
    fn of(settled: &[&Settled<'_>]) -> Columns {
        let outcomes = || settled.iter().map(|one| one.outcome);
        Columns {
            ids: outcomes().map(|one| one.job_id.0).collect(),
            attempts: outcomes().map(|one| one.attempt.number.into()).collect(),
            job_faults: outcomes().map(|one| one.job_faults.into()).collect(),
            clocks: outcomes().map(|one| one.first_attempt_clock).collect(),
            codes: codes(settled.iter().copied()),
        }
    }
}

fn codes<'a>(settled: impl Iterator<Item = &'a Settled<'a>>) -> Vec<Option<i64>> {
    settled
        .map(|one| one.outcome.attempt.status_code.map(i64::from))
        .collect()
}

async fn retry(connection: &Connection, settled: &[&Settled<'_>]) -> Result<(), Fault> {
    if settled.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(settled);
    let next: Vec<Option<i64>> = settled
        .iter()
        .map(|one| one.next_attempt_at.map(Moment::microseconds))
        .collect();
    let passed: Vec<bool> = settled.iter().map(|one| one.passed).collect();
    let params: Params = &[
        &columns.ids,
        &columns.attempts,
        &columns.job_faults,
        &columns.clocks,
        &columns.codes,
        &next,
        &passed,
    ];
    connection.execute(RETRY, params).await.map(|_| ())
}

async fn end(connection: &Connection, sql: &str, settled: &[&Settled<'_>]) -> Result<(), Fault> {
    if settled.is_empty() {
        return Ok(());
    }
    let columns = Columns::of(settled);
    let states: Vec<&str> = settled.iter().map(|one| one.state.name()).collect();
    let ended: Vec<i64> = settled
        .iter()
        .map(|one| ended_at(&one.outcome.attempt).microseconds())
        .collect();
    let passed: Vec<bool> = settled.iter().map(|one| one.passed).collect();
    let params: Params = &[
        &columns.ids,
        &columns.attempts,
        &columns.job_faults,
        &columns.clocks,
        &columns.codes,
        &states,
        &ended,
        &passed,
    ];
    connection.execute(sql, params).await.map(|_| ())
}
