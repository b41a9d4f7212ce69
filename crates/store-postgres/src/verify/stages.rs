//! Whether each change has exactly the jobs that it should have.

use std::collections::HashMap;

use domain::gap::{Gap, GapKind};
use domain::id::{OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::match_trace::{Standing, Verdict};
use domain::order::OrderStage;
use store::Verified;

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
    let mut jobs = jobs_of(connection, stage).await?;
    let mut gaps = Gaps { stage, verified };
    for met in met {
        let sub = met.webhook_out_sub_id;
        let made = jobs.remove(&sub).unwrap_or_default();
        let is_wanted = met.verdict() == Verdict::Matched;
        if !is_wanted {
            gaps.unexpected(sub, &made);
        } else if made.is_empty() && met.standing == Standing::CatchingUp {
            // Made in its turn, by what the subscription wants then.
            gaps.verified.not_judged += 1;
        } else if made.is_empty() {
            gaps.add(GapKind::MissingJob, sub, None);
        }
        // A replay may have made more.
        for job in made.iter().filter(|job| job.with_stage).skip(1) {
            gaps.add(GapKind::RepeatedJob, sub, Some(job.id));
        }
    }
    // Of subscriptions that were not there.
    for (sub, made) in jobs {
        gaps.unexpected(sub, &made);
    }
    Ok(())
}

/// A job of a stage, and no repetition of one.
struct Made {
    id: WebhookJobId,
    /// Whether it was made with the stage, and not by a recovery.
    with_stage: bool,
}

async fn jobs_of(
    connection: &Connection,
    stage: &OrderStage,
) -> Result<HashMap<WebhookOutSubId, Vec<Made>>, Fault> {
    let params: Params = &[&stage.order_id.0, &stage.id.0];
    let made = all(connection, JOBS, params, |row| {
        let job = Made {
            id: WebhookJobId(row.try_get(0)?),
            with_stage: row.try_get::<_, i64>(2)? == stage.created_at.microseconds(),
        };
        Ok((WebhookOutSubId(row.try_get(1)?), job))
    });
    let made = made.await?;
    let mut jobs: HashMap<_, Vec<Made>> = HashMap::new();
    for (sub, job) in made {
        jobs.entry(sub).or_default().push(job);
    }
    Ok(jobs)
}

/// What is wrong with a stage, as it is found.
struct Gaps<'a> {
    stage: &'a OrderStage,
    verified: &'a mut Verified<OrderStageId>,
}

impl Gaps<'_> {
    fn add(&mut self, kind: GapKind, sub: WebhookOutSubId, job: Option<WebhookJobId>) {
        self.verified.gaps.push(Gap {
            kind,
            integration_id: self.stage.integration_id,
            webhook_out_sub_id: sub,
            order_stage_id: Some(self.stage.id),
            webhook_job_id: job,
            earlier_job_id: None,
        });
    }

    fn unexpected(&mut self, sub: WebhookOutSubId, made: &[Made]) {
        for job in made.iter().filter(|job| job.with_stage) {
            self.add(GapKind::UnexpectedJob, sub, Some(job.id));
        }
    }
}
