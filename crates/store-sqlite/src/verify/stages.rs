//! Whether each change has exactly the jobs that it should have.

use domain::id::{OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::order::OrderStage;
use rusqlite::{Connection, params};
use store::Verified;
use store::rules::verify::{MadeJob, judge_stage};

use crate::fault::Fault;
use crate::list_query::all;
use crate::{match_trace, order_stages};

// primary key
pub(crate) const NEXT: &str = "select id from order_stages where id > ?1 order by id limit ?2";
// webhook_jobs_by_order; what repeats one stands beside this
pub(crate) const JOBS: &str = "select id, webhook_out_sub_id, created_at from webhook_jobs where order_id = ?1 and order_id is not null \
     and order_stage_id = ?2 and retry_of is null order by id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[NEXT, JOBS];

pub(super) fn verify(
    connection: &Connection,
    after: OrderStageId,
    limit: u32,
) -> Result<Verified<OrderStageId>, Fault> {
    let ids = all(connection, NEXT, params![after.0, limit], |row| {
        Ok(row.get::<_, i64>(0)?)
    })?;
    let mut verified = Verified {
        to: ids.last().copied().map(OrderStageId),
        looked_at: ids.len() as u64,
        not_judged: 0,
        gaps: Vec::new(),
    };
    for id in ids {
        if let Some(stage) = order_stages::of_id(connection, id)? {
            verify_one(connection, &stage, &mut verified)?;
        }
    }
    Ok(verified)
}

fn verify_one(
    connection: &Connection,
    stage: &OrderStage,
    verified: &mut Verified<OrderStageId>,
) -> Result<(), Fault> {
    let Some(met) = match_trace::met(connection, stage)? else {
        verified.not_judged += 1;
        return Ok(());
    };
    let jobs = jobs_of(connection, stage)?;
    judge_stage(stage, met, jobs, verified);
    Ok(())
}

fn jobs_of(connection: &Connection, stage: &OrderStage) -> Result<Vec<MadeJob>, Fault> {
    let params = params![stage.order_id.0, stage.id.0];
    all(connection, JOBS, params, |row| {
        Ok(MadeJob {
            id: WebhookJobId(row.get(0)?),
            sub: WebhookOutSubId(row.get(1)?),
            with_stage: row.get::<_, i64>(2)? == stage.created_at.microseconds(),
        })
    })
}
