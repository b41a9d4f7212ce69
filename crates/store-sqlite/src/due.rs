//! What the delivery engine takes: lanes, and the jobs that are due.

use std::sync::Arc;

use async_trait::async_trait;
use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{DueJobs, Lane, LaneOwner, Lanes, Outcome, ReadyJob, StoreError};

use crate::accept::Body;
use crate::fault::Fault;
use crate::open::SqliteStore;
use crate::{clock_set, record, webhook_out_subs};

macro_rules! ready_columns {
    () => {
        "select j.id, j.webhook_out_sub_id, j.order_id, j.sequence, j.webhook_id, j.attempts, \
         j.job_faults, j.first_attempt_clock, j.created_at, j.next_attempt_at, p.body, j.test \
         from webhook_jobs j join payloads p on p.id = j.payload_id "
    };
}

// primary key
pub(crate) const READY_JOB: &str = concat!(ready_columns!(), "where j.id = ?1");
// webhook_jobs_due
pub(crate) const DUE_JOBS: &str = concat!(
    ready_columns!(),
    "where j.webhook_out_sub_id = ?1 and j.next_attempt_at <= ?2 \
     and j.next_attempt_at is not null order by j.next_attempt_at, j.id limit ?3"
);
// webhook_jobs_waiting
pub(crate) const OLDEST_JOB: &str = concat!(
    ready_columns!(),
    "where j.webhook_out_sub_id = ?1 and j.finished_at is null order by j.id limit 1"
);
// webhook_jobs_due
pub(crate) const NEXT_DUE_AT: &str = "select min(next_attempt_at) from webhook_jobs where webhook_out_sub_id = ?1 \
     and next_attempt_at > ?2 and next_attempt_at is not null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[READY_JOB, DUE_JOBS, OLDEST_JOB, NEXT_DUE_AT];

#[async_trait]
impl Lanes for SqliteStore {
    async fn own_lanes(
        &self,
        owner: Arc<dyn LaneOwner>,
        now: Moment,
    ) -> Result<Vec<Lane>, StoreError> {
        webhook_out_subs::delete::cancel_leftovers(self, now).await?;
        // Within the writer: no change can fall between what is read and what is told.
        let owned = self.write(move |writing| {
            let lanes = webhook_out_subs::lanes(&writing.connection, &writing.key)?;
            writing.owner = owner;
            Ok(lanes)
        });
        owned.await.map_err(StoreError::from)
    }

    async fn due_jobs(
        &self,
        lane: WebhookOutSubId,
        now: Moment,
        limit: usize,
    ) -> Result<DueJobs, StoreError> {
        self.read(move |connection| due_jobs(connection, lane, now, limit))
            .await
    }

    async fn oldest_job(&self, lane: WebhookOutSubId) -> Result<Option<ReadyJob>, StoreError> {
        self.read(move |connection| {
            let job = connection
                .prepare_cached(OLDEST_JOB)?
                .query_row([lane.0], read)
                .optional()?;
            Ok(job)
        })
        .await
    }

    async fn clock_set(&self, microseconds: i64, now: Moment) -> Result<(), StoreError> {
        let set = self.write(move |writing| clock_set::set(&writing.connection, microseconds, now));
        set.await.map_err(StoreError::from)?;
        clock_set::forget(self.readers.path(), now);
        Ok(())
    }

    async fn record(&self, outcomes: Arc<[Outcome]>) -> Result<(), StoreError> {
        record::record(self, outcomes).await
    }
}

fn due_jobs(
    connection: &Connection,
    lane: WebhookOutSubId,
    now: Moment,
    limit: usize,
) -> Result<DueJobs, Fault> {
    let mut statement = connection.prepare_cached(DUE_JOBS)?;
    let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let rows = statement.query_map(params![lane.0, now.microseconds(), one_more], read)?;
    let mut jobs: Vec<ReadyJob> = rows.collect::<Result<_, _>>()?;
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let next_due_at = if more {
        None
    } else {
        connection
            .prepare_cached(NEXT_DUE_AT)?
            .query_row(params![lane.0, now.microseconds()], |row| {
                row.get::<_, Option<i64>>(0)
            })?
            .map(Moment::from_microseconds)
    };
    Ok(DueJobs {
        jobs,
        more,
        next_due_at,
    })
}

/// A job with its payload, to be handed to its lane.
pub(crate) fn ready_job(connection: &Connection, id: WebhookJobId) -> Result<ReadyJob, Fault> {
    let job = connection
        .prepare_cached(READY_JOB)?
        .query_row([id.0], read)?;
    Ok(job)
}

fn read(row: &Row<'_>) -> Result<ReadyJob, rusqlite::Error> {
    let created_at = Moment::from_microseconds(row.get(8)?);
    let due_at: Option<i64> = row.get(9)?;
    Ok(ReadyJob {
        id: WebhookJobId(row.get(0)?),
        webhook_out_sub_id: WebhookOutSubId(row.get(1)?),
        order_id: row.get::<_, Option<i64>>(2)?.map(OrderId),
        sequence: row.get(3)?,
        webhook_id: WebhookId::from_bytes(row.get(4)?),
        attempts: row.get(5)?,
        job_faults: row.get(6)?,
        first_attempt_clock: row.get(7)?,
        created_at,
        // The oldest waiting job is never held, so a lane never sees this default.
        due_at: due_at.map_or(created_at, Moment::from_microseconds),
        payload: row.get::<_, Body>(10)?.0.into(),
        test: row.get(11)?,
    })
}
