//! An attempt becomes history: the second half of the hottest path.

use std::sync::Arc;

use domain::health::LaneRecord;
use domain::id::{IntegrationId, OrderId, WebhookOutSubId};
use domain::records::Actor;
use domain::time::Moment;
use domain::webhook_job::{JobState, WebhookAttempt};
use domain::webhook_out_sub::Ordering;
use rusqlite::{Connection, OptionalExtension, params};
use store::{Change, NextStep, Outcome, StatisticsTally, StoreError};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::one;
use crate::open::SqliteStore;
use crate::webhook_out_subs::{self, revisions};
use crate::writing::Writing;
use crate::{delivery_statistics, release, troubles};

// primary keys
pub(crate) const JOB: &str = "select j.state, j.ordered, j.order_id, j.passed, j.cancel_requested, j.created_at, j.integration_id, s.ordering \
     from webhook_jobs j join webhook_out_subs s on s.id = j.webhook_out_sub_id where j.id = ?1";
pub(crate) const INSERT_ATTEMPT: &str = "insert into webhook_attempts (webhook_job_id, number, started_at, callback_url, outcome, \
     status_code, fault, message, address, timing, answer_headers, answer_body, \
     answer_body_truncated) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
     on conflict do nothing";
pub(crate) const UPDATE_JOB: &str = "update webhook_jobs set state = ?2, attempts = ?3, job_faults = ?4, first_attempt_clock = ?5, \
     status_code = ?6, next_attempt_at = ?7, passed = ?8, finished_at = ?9 where id = ?1";
pub(crate) const PUT_LANE: &str = "insert into lanes (webhook_out_sub_id, record) values (?1, ?2) \
     on conflict (webhook_out_sub_id) do update set record = excluded.record";
// primary keys
pub(crate) const LANE: &str = "select s.active, l.record from webhook_out_subs s \
     left join lanes l on l.webhook_out_sub_id = s.id where s.id = ?1";
pub(crate) const SWITCH_OFF: &str = "update webhook_out_subs set active = 0, updated_at = ?2 where id = ?1 and active = 1 \
     returning integration_id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] =
    &[JOB, INSERT_ATTEMPT, UPDATE_JOB, PUT_LANE, LANE, SWITCH_OFF];

/// Records outcomes; see [`store::Lanes::record`].
pub(crate) async fn record(
    store: &SqliteStore,
    outcomes: Arc<[Outcome]>,
) -> Result<(), StoreError> {
    let recorded = store.write_repeatable(move |writing| {
        writing.count(outcomes.len());
        let mut statistics = StatisticsTally::default();
        for outcome in outcomes.iter() {
            record_one(writing, outcome, &mut statistics)?;
        }
        delivery_statistics::add(&writing.connection, &statistics)
    });
    recorded.await.map_err(StoreError::from)
}

/// What of a job decides how its outcome is recorded.
struct Job {
    state: String,
    ordered: bool,
    order_id: Option<OrderId>,
    passed: bool,
    cancel_requested: bool,
    created_at: Moment,
    integration_id: IntegrationId,
    ordering: String,
}

/// A job's state after an attempt.
struct Settled {
    state: JobState,
    next_attempt_at: Option<Moment>,
    passed: bool,
}

fn record_one(
    writing: &mut Writing,
    outcome: &Outcome,
    statistics: &mut StatisticsTally,
) -> Result<(), Fault> {
    if let Some(lane) = &outcome.lane {
        record_lane(
            writing,
            outcome.webhook_out_sub_id,
            lane,
            ended_at(&outcome.attempt),
        )?;
    }
    let Some(job) = read_job(&writing.connection, outcome)? else {
        return Ok(());
    };
    let Some(settled) = settle(&job, outcome) else {
        return Ok(());
    };
    insert_attempt(&writing.connection, outcome)?;
    statistics.count(job.integration_id, outcome, settled.state, job.created_at);
    let ended_at = ended_at(&outcome.attempt);
    let is_final = settled.next_attempt_at.is_none();
    match settled.state {
        JobState::Retrying => troubles::job_failed(writing, outcome, false, ended_at)?,
        JobState::Exhausted => troubles::job_failed(writing, outcome, true, ended_at)?,
        _ => {}
    }
    if settled.state.name() != job.state {
        writing.tally.add(settled.state, 1);
    }
    writing
        .connection
        .prepare_cached(UPDATE_JOB)?
        .execute(params![
            outcome.job_id.0,
            settled.state.name(),
            outcome.attempt.number,
            outcome.job_faults,
            outcome.first_attempt_clock,
            outcome.attempt.status_code,
            settled.next_attempt_at.map(Moment::microseconds),
            settled.passed,
            is_final.then_some(ended_at.microseconds()),
        ])?;
    if job.ordered && (is_final || (settled.passed && !job.passed)) {
        let sub = outcome.webhook_out_sub_id;
        let ordering = Ordering::parse(&job.ordering)
            .ok_or_else(|| Fault::corrupt("webhook_out_subs", sub.0, "unknown ordering"))?;
        release::release_next(writing, sub, job.order_id, ordering, ended_at)?;
    }
    Ok(())
}

/// When the attempt was over.
fn ended_at(attempt: &WebhookAttempt) -> Moment {
    attempt.started_at + std::time::Duration::from_micros(attempt.timing.total)
}

fn read_job(connection: &Connection, outcome: &Outcome) -> Result<Option<Job>, Fault> {
    let job = connection
        .prepare_cached(JOB)?
        .query_row([outcome.job_id.0], |row| {
            Ok(Job {
                state: row.get(0)?,
                ordered: row.get(1)?,
                order_id: row.get::<_, Option<i64>>(2)?.map(OrderId),
                passed: row.get(3)?,
                cancel_requested: row.get(4)?,
                created_at: Moment::from_microseconds(row.get(5)?),
                integration_id: IntegrationId(row.get(6)?),
                ordering: row.get(7)?,
            })
        })
        .optional()?;
    Ok(job)
}

/// What becomes of the job; nothing where it is final already. One that was canceled while it was in
/// flight is delivered all the same if the receiver took it: history tells what happened.
fn settle(job: &Job, outcome: &Outcome) -> Option<Settled> {
    let is_delivered = outcome.next == NextStep::Delivered;
    let may_change = match job.state.as_str() {
        "pending" | "retrying" => true,
        "canceled" | "superseded" => is_delivered,
        _ => false,
    };
    if !may_change {
        return None;
    }
    let is_final = |state| Settled {
        state,
        next_attempt_at: None,
        passed: job.passed,
    };
    Some(match outcome.next {
        NextStep::Delivered => is_final(JobState::Delivered),
        _ if job.cancel_requested => is_final(JobState::Canceled),
        NextStep::Exhausted => is_final(JobState::Exhausted),
        NextStep::Retry { at, passed } => Settled {
            state: JobState::Retrying,
            next_attempt_at: Some(at),
            passed: job.passed || passed,
        },
    })
}

fn insert_attempt(connection: &Connection, outcome: &Outcome) -> Result<(), Fault> {
    let attempt = &outcome.attempt;
    connection.prepare_cached(INSERT_ATTEMPT)?.execute(params![
        outcome.job_id.0,
        attempt.number,
        attempt.started_at.microseconds(),
        attempt.callback_url,
        attempt.outcome.name(),
        attempt.status_code,
        attempt.fault,
        attempt.message,
        attempt.address,
        serde_json::to_string(&attempt.timing)?,
        serde_json::to_string(&attempt.answer_headers)?,
        attempt.answer_body,
        attempt.answer_body_truncated,
    ])?;
    Ok(())
}

/// Keeps a lane's health; a lane that is off switches its subscription off. What people must know is mailed.
fn record_lane(
    writing: &mut Writing,
    sub: WebhookOutSubId,
    lane: &LaneRecord,
    at: Moment,
) -> Result<(), Fault> {
    // What was in flight when somebody switched the subscription off has no say in that any more.
    let before = one(&writing.connection, LANE, [sub.0], |row| {
        Ok((row.get::<_, bool>(0)?, row.get::<_, Option<String>>(1)?))
    })?;
    let Some((true, before)) = before else {
        return Ok(());
    };
    put_lane(&writing.connection, sub, lane)?;
    let before = before.map(|record| serde_json::from_str(&record));
    let before = before.transpose()?.unwrap_or_default();
    troubles::lane_changed(writing, sub, &before, lane, at)?;
    if lane.is_off() {
        switch_off(writing, sub, lane, at)?;
    }
    Ok(())
}

/// Switches a subscription off whose lane is.
fn switch_off(
    writing: &mut Writing,
    sub: WebhookOutSubId,
    lane: &LaneRecord,
    at: Moment,
) -> Result<(), Fault> {
    let switched: Option<i64> = writing
        .connection
        .prepare_cached(SWITCH_OFF)?
        .query_row(params![sub.0, at.microseconds()], |row| row.get(0))
        .optional()?;
    let Some(integration) = switched.map(IntegrationId) else {
        return Ok(());
    };
    revisions::keep(writing, integration, sub, at)?;
    let change = Change {
        actor: Actor::Postrider,
        at,
        request_id: None,
    };
    let event = AuditEvent {
        integration_id: Some(integration),
        noun: "webhook_out_sub",
        record_id: sub.0,
        action: "switch_off",
        before: None,
        after: Some(serde_json::to_string(lane)?),
    };
    audit::write(&writing.connection, &change, event)?;
    if let Some(lane) = webhook_out_subs::lane(&writing.connection, &writing.key, sub)? {
        writing.changed(lane);
    }
    Ok(())
}

/// Keeps a lane's health.
pub(crate) fn put_lane(
    connection: &Connection,
    sub: WebhookOutSubId,
    lane: &LaneRecord,
) -> Result<(), Fault> {
    connection
        .prepare_cached(PUT_LANE)?
        .execute(params![sub.0, serde_json::to_string(lane)?])?;
    Ok(())
}
