//! Walking through the changes of an integration and their jobs, side by side.
//!
//! The jobs that were made with a change have ids in a row, and changes of one integration and their jobs have ids in nearly the same order: two
//! pages are enough to know all of them. Jobs that were made later (`late`) are met on their own, and looked up by an index where their change is decided.

use std::collections::VecDeque;

use domain::id::IntegrationId;
use store::{Removed, Walked};
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::all;

/// Changes that one look reads.
const STAGES_LOOKED_AT: usize = 400;
/// Jobs that one look reads.
const JOBS_LOOKED_AT: usize = 400;
/// Jobs that a look reads where the jobs of one change did not fit: an integration has up to 1,000 subscriptions.
const JOBS_OF_STAGE_MAX: usize = 1_100;

// webhook_jobs_waiting_by_integration, webhook_jobs_final_by_integration
pub(crate) const JOBS: &str = "select id, order_id, order_stage_id, payload_id, created_at, finished_at, late \
     from webhook_jobs where integration_id = $1 and id > $2 order by id limit $3";
// order_stages_by_integration
pub(crate) const STAGES: &str = "select id, order_id, created_at from order_stages \
     where integration_id = $1 and id > $2 order by id limit $3";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[JOBS, STAGES];

/// What a walk removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Payloads only.
    Payloads,
    /// Changes with all that belongs to them, and jobs that belong to none.
    Changes,
}

/// A walk.
pub(super) struct Walk<'a> {
    pub(super) connection: &'a Connection,
    pub(super) what: What,
    /// How far it came.
    pub(super) walked: Walked,
    /// What became final at this moment or before is removed.
    pub(super) before: i64,
    /// How many records may still be removed.
    pub(super) left: usize,
}

/// What of a job decides whether it goes.
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) order: Option<i64>,
    pub(super) stage: Option<i64>,
    pub(super) payload: i64,
    created_at: i64,
    pub(super) finished_at: Option<i64>,
    late: bool,
}

/// What of a change decides whether it goes.
pub(super) struct Stage {
    pub(super) id: i64,
    pub(super) order: i64,
    created_at: i64,
}

/// Whether a walk goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Going {
    On,
    /// It has done enough for one step.
    Paused,
    /// What follows is too young, or there is nothing more.
    Ended,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        what: What,
        from: Walked,
        before: i64,
        left: usize,
    ) -> Walk<'a> {
        Walk {
            connection,
            what,
            walked: from,
            before,
            left,
        }
    }

    /// Walks for one step; whether the integration is done with.
    pub(super) async fn go_on(
        &mut self,
        integration: IntegrationId,
        removed: &mut Removed,
    ) -> Result<bool, Fault> {
        let from = self.walked;
        let mut going = self.look(integration, JOBS_LOOKED_AT, removed).await?;
        if going != Going::Ended && self.walked == from {
            going = self.look(integration, JOBS_OF_STAGE_MAX, removed).await?;
        }
        // What comes no further with the largest look would come no further for ever.
        Ok(going == Going::Ended || self.walked == from)
    }

    async fn look(
        &mut self,
        integration: IntegrationId,
        size: usize,
        removed: &mut Removed,
    ) -> Result<Going, Fault> {
        let (after, integration) = (self.walked, integration.0);
        let page: Params = &[&integration, &after.webhook_job, &(size as i64)];
        let jobs = all(self.connection, JOBS, page, read_job).await?;
        let has_all_jobs = jobs.len() < size;
        let mut jobs = VecDeque::from(jobs);
        let page: Params = &[&integration, &after.order_stage, &(STAGES_LOOKED_AT as i64)];
        let stages = all(self.connection, STAGES, page, read_stage).await?;
        let has_all_stages = stages.len() < STAGES_LOOKED_AT;
        for stage in stages {
            let going = self.pass(&mut jobs, stage.id, removed).await?;
            if going != Going::On {
                return Ok(going);
            }
            if stage.created_at > self.before {
                return Ok(Going::Ended);
            }
            let mut own = Vec::new();
            while let Some(job) = jobs.pop_front_if(|job| job.is_made_with(stage.id)) {
                own.push(job);
            }
            // There may be more of them than this look has read.
            if jobs.is_empty() && !has_all_jobs {
                return Ok(Going::Paused);
            }
            self.decide(&stage, &own, removed).await?;
            if self.left == 0 {
                return Ok(Going::Paused);
            }
        }
        if !has_all_stages {
            return Ok(Going::Paused);
        }
        let going = self.pass(&mut jobs, i64::MAX, removed).await?;
        Ok(match going {
            Going::On if has_all_jobs => Going::Ended,
            Going::On => Going::Paused,
            other => other,
        })
    }

    /// Passes the jobs before those that were made with this change.
    async fn pass(
        &mut self,
        jobs: &mut VecDeque<Job>,
        stage: i64,
        removed: &mut Removed,
    ) -> Result<Going, Fault> {
        while let Some(job) = jobs.pop_front_if(|job| !job.is_made_with_or_after(stage)) {
            if job.created_at > self.before {
                return Ok(Going::Ended);
            }
            self.alone(&job, removed).await?;
            self.walked.webhook_job = job.id;
            if self.left == 0 {
                return Ok(Going::Paused);
            }
        }
        Ok(Going::On)
    }
}

impl Job {
    fn is_made_with(&self, stage: i64) -> bool {
        !self.late && self.stage == Some(stage)
    }

    fn is_made_with_or_after(&self, stage: i64) -> bool {
        !self.late && self.stage >= Some(stage)
    }
}

fn read_job(row: &Row) -> Result<Job, Fault> {
    Ok(Job {
        id: row.try_get(0)?,
        order: row.try_get(1)?,
        stage: row.try_get(2)?,
        payload: row.try_get(3)?,
        created_at: row.try_get(4)?,
        finished_at: row.try_get(5)?,
        late: row.try_get(6)?,
    })
}

fn read_stage(row: &Row) -> Result<Stage, Fault> {
    Ok(Stage {
        id: row.try_get(0)?,
        order: row.try_get(1)?,
        created_at: row.try_get(2)?,
    })
}
