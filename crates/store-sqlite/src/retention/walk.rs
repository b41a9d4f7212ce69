//! Walking through the changes of an integration and their jobs; see [`store::rules::retention`].

use domain::id::IntegrationId;
use rusqlite::{Connection, Row};
use store::rules::retention::{
    JOBS_LOOKED_AT, JOBS_OF_STAGE_MAX, Job, Look, Next, STAGES_LOOKED_AT, Stage, What,
};
use store::{Removed, Walked};

use crate::fault::Fault;
use crate::list_query::{all, one};

// webhook_jobs_by_integration
pub(crate) const JOBS: &str = "select id, order_id, order_stage_id, payload_id, created_at, finished_at, late is 1 \
     from webhook_jobs indexed by webhook_jobs_by_integration where integration_id = ?1 and id > ?2 order by id limit ?3";
// order_stages_by_integration
pub(crate) const STAGES: &str = "select id, order_id, created_at from order_stages indexed by order_stages_by_integration \
     where integration_id = ?1 and id > ?2 order by id limit ?3";
// primary keys
pub(crate) const NEWEST_JOB: &str = "select max(id) from webhook_jobs";
pub(crate) const NEWEST_STAGE: &str = "select max(id) from order_stages";
pub(crate) const NEWEST_ORDER: &str = "select max(id) from orders";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[JOBS, STAGES, NEWEST_JOB, NEWEST_STAGE, NEWEST_ORDER];

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
    pub(super) newest: Newest,
}

/// The newest records, which stay: SQLite would give their ids to the next ones.
pub(super) struct Newest {
    pub(super) job: i64,
    pub(super) stage: i64,
    pub(super) order: i64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        connection: &'a Connection,
        what: What,
        from: Walked,
        before: i64,
        left: usize,
    ) -> Result<Walk<'a>, Fault> {
        let newest = |sql: &str| -> Result<i64, Fault> {
            let id = one(connection, sql, [], |row| Ok(row.get::<_, Option<i64>>(0)?))?;
            Ok(id.flatten().unwrap_or_default())
        };
        Ok(Walk {
            connection,
            what,
            walked: from,
            before,
            left,
            newest: Newest {
                job: newest(NEWEST_JOB)?,
                stage: newest(NEWEST_STAGE)?,
                order: newest(NEWEST_ORDER)?,
            },
        })
    }

    /// Walks for one step; whether the integration is done with.
    pub(super) fn go_on(
        &mut self,
        integration: IntegrationId,
        removed: &mut Removed,
    ) -> Result<bool, Fault> {
        let from = self.walked;
        let mut is_over = self.look(integration, JOBS_LOOKED_AT, removed)?;
        if !is_over && self.walked == from {
            is_over = self.look(integration, JOBS_OF_STAGE_MAX, removed)?;
        }
        // What comes no further with the largest look would come no further for ever.
        Ok(is_over || self.walked == from)
    }

    /// Looks at so many jobs and what changes belong to them; whether there is nothing more.
    fn look(
        &mut self,
        integration: IntegrationId,
        jobs_at_once: usize,
        removed: &mut Removed,
    ) -> Result<bool, Fault> {
        let (after, integration) = (self.walked, integration.0);
        let page = (integration, after.webhook_job, jobs_at_once as i64);
        let jobs = all(self.connection, JOBS, page, read_job)?;
        let page = (integration, after.order_stage, STAGES_LOOKED_AT as i64);
        let stages = all(self.connection, STAGES, page, read_stage)?;
        let mut look = Look::new(jobs, jobs_at_once, stages, self.before);
        loop {
            match look.step() {
                Next::Alone(job) => {
                    self.alone(&job, removed)?;
                    self.walked.webhook_job = job.id;
                }
                Next::Change(stage, own) => self.decide(&stage, &own, removed)?,
                Next::Paused => return Ok(false),
                Next::Ended => return Ok(true),
            }
            if self.left == 0 {
                return Ok(false);
            }
        }
    }
}

fn read_job(row: &Row<'_>) -> Result<Job, Fault> {
    Ok(Job {
        id: row.get(0)?,
        order: row.get(1)?,
        stage: row.get(2)?,
        payload: row.get(3)?,
        created_at: row.get(4)?,
        finished_at: row.get(5)?,
        late: row.get(6)?,
    })
}

fn read_stage(row: &Row<'_>) -> Result<Stage, Fault> {
    Ok(Stage {
        id: row.get(0)?,
        order: row.get(1)?,
        created_at: row.get(2)?,
    })
}
