//! Walking through the changes of an integration and their jobs; see [`store::rules::retention`].

use domain::id::IntegrationId;
use store::rules::retention::{
    JOBS_LOOKED_AT, JOBS_OF_STAGE_MAX, Job, Look, Next, STAGES_LOOKED_AT, Stage, What,
};
use store::{Removed, Walked};
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::all;

// webhook_jobs_waiting_by_integration, webhook_jobs_final_by_integration
pub(crate) const JOBS: &str = "select id, order_id, order_stage_id, payload_id, created_at, finished_at, late \
     from webhook_jobs where integration_id = $1 and id > $2 order by id limit $3";
// order_stages_by_integration
pub(crate) const STAGES: &str = "select id, order_id, created_at from order_stages \
     where integration_id = $1 and id > $2 order by id limit $3";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[JOBS, STAGES];

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
        let mut is_over = self.look(integration, JOBS_LOOKED_AT, removed).await?;
        if !is_over && self.walked == from {
            is_over = self.look(integration, JOBS_OF_STAGE_MAX, removed).await?;
        }
        // What comes no further with the largest look would come no further for ever.
        Ok(is_over || self.walked == from)
    }

    /// Looks at so many jobs and what changes belong to them; whether there is nothing more.
    async fn look(
        &mut self,
        integration: IntegrationId,
        jobs_at_once: usize,
        removed: &mut Removed,
    ) -> Result<bool, Fault> {
        let (after, integration) = (self.walked, integration.0);
        let page: Params = &[&integration, &after.webhook_job, &(jobs_at_once as i64)];
        let jobs = all(self.connection, JOBS, page, read_job).await?;
        let page: Params = &[&integration, &after.order_stage, &(STAGES_LOOKED_AT as i64)];
        let stages = all(self.connection, STAGES, page, read_stage).await?;
        let mut look = Look::new(jobs, jobs_at_once, stages, self.before);
        loop {
            match look.step() {
                Next::Alone(job) => {
                    self.alone(&job, removed).await?;
                    self.walked.webhook_job = job.id;
                }
                Next::Change(stage, own) => self.decide(&stage, &own, removed).await?,
                Next::Paused => return Ok(false),
                Next::Ended => return Ok(true),
            }
            if self.left == 0 {
                return Ok(false);
            }
        }
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
