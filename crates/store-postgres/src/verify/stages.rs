//! Whether each change has exactly the jobs that it should have.

use domain::id::{OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::order::OrderStage;
use store::Verified;
use store::rules::verify::{MadeJob, judge_stage};

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::all;
use crate::{match_trace, order_stages};

// primary key
pub(crate) const NEXT: &str = "select id from order_stages where id > $1 order by id limit $2";
// webhook_jobs_waiting_by_order, webhook_jobs_final_by_order; what repeats one stands beside this
pub(crate) const JOBS: &str = "select id, webhook_out_sub_id, created_at from webhook_jobs where order_id = $1 and order_id is not null \
     and order_stage_id = $2 and retry_of is null order by id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[NEXT, JOBS];

pub(super) async fn verify(
    connection: &Connection,
    after: OrderStageId,
    limit: u32,
) -> Result<Verified<OrderStageId>, Fault> {
    let params: Params = &[&after.0, &i64::from(limit)];
    let ids = all(
        connection,
        NEXT,
        params,
        |row| Ok(row.try_get::<_, i64>(0)?),
    );
    let ids = ids.await?;
    let mut verified = Verified {
        to: ids.last().copied().map(OrderStageId),
        looked_at: ids.len() as u64,
        not_judged: 0,
        gaps: Vec::new(),
    };
    for id in ids {
        if let Some(stage) = order_stages::of_id(connection, id).await? {
            verify_one(connection, &stage, &mut verified).await?;
        }
    }
    Ok(verified)
}

async fn verify_one(
    connection: &Connection,
    stage: &OrderStage,
    verified: &mut Verified<OrderStageId>,
) -> Result<(), Fault> {
    let Some(met) = match_trace::met(connection, stage).await? else {
        verified.not_judged += 1;
        return Ok(());
    };
    let jobs = jobs_of(connection, stage).await?;
    judge_stage(stage, met, jobs, verified);
    Ok(())
}

async fn jobs_of(connection: &Connection, stage: &OrderStage) -> Result<Vec<MadeJob>, Fault> {
    let params: Params = &[&stage.order_id.0, &stage.id.0];
    all(connection, JOBS, params, |row| {
        Ok(MadeJob {
            id: WebhookJobId(row.try_get(0)?),
            sub: WebhookOutSubId(row.try_get(1)?),
            with_stage: row.try_get::<_, i64>(2)? == stage.created_at.microseconds(),
        })
    })
    .await
}
