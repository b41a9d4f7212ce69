//! Whether each job is final or has something to wait for, and none overtook another.

use domain::gap::{Gap, GapKind};
use domain::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use store::Verified;
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, one};
use crate::release;

/// How many earlier jobs of a subscription are looked at for one that was under way at the same time: more than
/// are ever attempted in a row within a moment. Those that still wait are found however old they are.
const LOOK_BACK_JOBS: i64 = 200;

// primary keys
pub(crate) const NEXT: &str = "select j.id, j.integration_id, j.webhook_out_sub_id, j.order_id, j.order_stage_id, j.state, j.ordered, \
     j.next_attempt_at, j.finished_at, a.started_at, s.ordering, s.deleted_at is not null, j.sequence \
     from webhook_jobs j join webhook_out_subs s on s.id = j.webhook_out_sub_id \
     left join webhook_attempts a on a.webhook_job_id = j.id and a.number = 1 \
     where j.id > $1 order by j.id limit $2";
// webhook_jobs_final_by_order
pub(crate) const UNDER_WAY_IN_ORDER: &str = "select id from webhook_jobs where order_id = $2 and order_id is not null and webhook_out_sub_id = $1 \
     and sequence < $3 and ordered and not passed and finished_at > $4 order by sequence desc limit 1";
// webhook_jobs_final_by_subscriber
pub(crate) const UNDER_WAY_IN_SUBSCRIPTION: &str = "select id from (select id, finished_at, ordered, passed from webhook_jobs where webhook_out_sub_id = $1 \
     and $2::bigint is not null and id < $3 order by id desc limit $5) w \
     where ordered and not passed and finished_at > $4 limit 1";
// primary key
pub(crate) const HAS_CHANGED: &str = "select count(distinct ordering) > 1 from webhook_out_sub_revisions \
     where integration_id = $1 and webhook_out_sub_id = $2";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    NEXT,
    UNDER_WAY_IN_ORDER,
    UNDER_WAY_IN_SUBSCRIPTION,
    HAS_CHANGED,
];

/// What of a job is judged.
struct Job {
    id: WebhookJobId,
    integration_id: IntegrationId,
    sub: WebhookOutSubId,
    order_id: Option<OrderId>,
    order_stage_id: Option<OrderStageId>,
    state: JobState,
    ordered: bool,
    next_attempt_at: Option<i64>,
    finished_at: Option<i64>,
    /// When its first attempt began.
    started_at: Option<i64>,
    ordering: Ordering,
    sequence: Option<i64>,
    /// Whether its subscription is deleted: then its jobs are being canceled.
    deleted: bool,
}

pub(super) async fn verify(
    connection: &Connection,
    after: WebhookJobId,
    limit: u32,
) -> Result<Verified<WebhookJobId>, Fault> {
    let params: Params = &[&after.0, &i64::from(limit)];
    let jobs = all(connection, NEXT, params, read).await?;
    let mut verified = Verified {
        to: jobs.last().map(|job| job.id),
        looked_at: jobs.len() as u64,
        not_judged: 0,
        gaps: Vec::new(),
    };
    for job in jobs {
        let is_final = job.state.is_final();
        let contradicts =
            is_final != job.finished_at.is_some() || (is_final && job.next_attempt_at.is_some());
        if contradicts {
            verified.gaps.push(job.gap(GapKind::ContradictoryJob, None));
            continue;
        }
        let waits_for_nothing = !is_final && job.next_attempt_at.is_none() && !job.deleted;
        if waits_for_nothing && job.holder(connection).await?.is_none() {
            verified.gaps.push(job.gap(GapKind::SleepingJob, None));
        }
        let Some(started_at) = job.started_at.filter(|_| job.is_in_sequence()) else {
            continue;
        };
        if job.changed_its_rule(connection).await? {
            verified.not_judged += 1;
        } else if let Some(earlier) = job.overtaken(connection, started_at).await? {
            verified
                .gaps
                .push(job.gap(GapKind::OutOfSequence, Some(earlier)));
        }
    }
    Ok(verified)
}

impl Job {
    fn gap(&self, kind: GapKind, earlier: Option<WebhookJobId>) -> Gap {
        Gap {
            kind,
            integration_id: self.integration_id,
            webhook_out_sub_id: self.sub,
            order_stage_id: self.order_stage_id,
            webhook_job_id: Some(self.id),
            earlier_job_id: earlier,
        }
    }

    fn is_in_sequence(&self) -> bool {
        self.ordered && self.ordering != Ordering::None
    }

    /// The earlier job that it waits for.
    async fn holder(&self, connection: &Connection) -> Result<Option<WebhookJobId>, Fault> {
        if !self.ordered {
            return Ok(None);
        }
        release::holder(
            connection,
            self.sub,
            self.order_id,
            self.ordering,
            self.id.0,
        )
        .await
    }

    /// The earlier job that was not done with when this one was attempted first.
    async fn overtaken(
        &self,
        connection: &Connection,
        started_at: i64,
    ) -> Result<Option<WebhookJobId>, Fault> {
        if let Some(waiting) = self.holder(connection).await? {
            return Ok(Some(waiting));
        }
        let order = self.order_id.map(|id| id.0);
        let read = |row: &Row| Ok(WebhookJobId(row.try_get(0)?));
        match self.ordering {
            Ordering::Order => {
                let params: Params = &[&self.sub.0, &order, &self.sequence, &started_at];
                one(connection, UNDER_WAY_IN_ORDER, params, read).await
            }
            Ordering::Subscription => {
                let params: Params = &[
                    &self.sub.0,
                    &order,
                    &self.id.0,
                    &started_at,
                    &LOOK_BACK_JOBS,
                ];
                one(connection, UNDER_WAY_IN_SUBSCRIPTION, params, read).await
            }
            Ordering::None => Ok(None),
        }
    }

    /// Whether its subscription's ordering was another one before: nobody knows which job went by which.
    async fn changed_its_rule(&self, connection: &Connection) -> Result<bool, Fault> {
        let params: Params = &[&self.integration_id.0, &self.sub.0];
        let changed = one(connection, HAS_CHANGED, params, |row| Ok(row.try_get(0)?)).await?;
        Ok(changed.unwrap_or_default())
    }
}

fn read(row: &Row) -> Result<Job, Fault> {
    let id = row.try_get(0)?;
    let corrupt = |reason: &str| Fault::corrupt("webhook_jobs", id, reason);
    let state: String = row.try_get(5)?;
    let ordering: String = row.try_get(10)?;
    Ok(Job {
        id: WebhookJobId(id),
        integration_id: IntegrationId(row.try_get(1)?),
        sub: WebhookOutSubId(row.try_get(2)?),
        order_id: row.try_get::<_, Option<i64>>(3)?.map(OrderId),
        order_stage_id: row.try_get::<_, Option<i64>>(4)?.map(OrderStageId),
        state: JobState::parse(&state).ok_or_else(|| corrupt("unknown state"))?,
        ordered: row.try_get(6)?,
        next_attempt_at: row.try_get(7)?,
        finished_at: row.try_get(8)?,
        started_at: row.try_get(9)?,
        ordering: Ordering::parse(&ordering).ok_or_else(|| corrupt("unknown ordering"))?,
        deleted: row.try_get(11)?,
        sequence: row.try_get(12)?,
    })
}
