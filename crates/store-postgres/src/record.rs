//! Attempts become history: the second half of the hottest path.
//!
//! Outcomes are recorded together: what decides about them is read and locked in one go, and what follows is stored by one statement for each
//! table. Troubles are told one by one; they are few.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::health::LaneRecord;
use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::{JobState, WebhookAttempt};
use domain::webhook_out_sub::Ordering;
use store::{Fence, NextStep, Outcome, StatisticsTally, StoreError};
use tokio::try_join;

use crate::accept::Group;
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{all, moment};
use crate::open::PostgresStore;
use crate::writing::{TRIES_MAX, Writing};
use crate::{delivery_statistics, release, troubles};

mod health;
mod settled;

use self::settled::Settled;

// primary keys; nobody takes the lanes over until this transaction ends
pub(crate) const LANES: &str = "select l.webhook_out_sub_id, l.integration_id, l.fence, l.node_id, s.ordering from lanes l \
     join webhook_out_subs s on s.id = l.webhook_out_sub_id where l.webhook_out_sub_id = any($1) \
     order by l.webhook_out_sub_id for share of l";
// primary key
pub(crate) const WAITING: &str = "select id, state, ordered, order_id, passed, cancel_requested, created_at from webhook_jobs_waiting \
     where id = any($1) order by id for update";
// primary key
pub(crate) const WITHDRAWN: &str = "select id, state, ordered, order_id, passed, cancel_requested, created_at from webhook_jobs_final \
     where id = any($1) and state in ('canceled', 'superseded') order by id for update";
// primary key
pub(crate) const PUT_LANE: &str = "update lanes set record = $2 where webhook_out_sub_id = $1";

/// So many outcomes take turns with the changes: more wait than are recorded, and each batch of changes makes new ones.
const OUTCOMES_IN_TURN: usize = 256;

/// What is sent together with others.
pub(crate) const TOGETHER: &[&str] = &[
    LANES,
    WAITING,
    settled::INSERT_ATTEMPTS,
    settled::RETRY,
    settled::FINISH,
    settled::CORRECT,
    release::NEXT_IN_ORDERS,
    release::NEXT_IN_SUBSCRIPTIONS,
];

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    &[LANES, WAITING, WITHDRAWN, PUT_LANE],
    health::STATEMENTS,
    settled::STATEMENTS,
];

/// Records outcomes; see [`store::Lanes::record`].
pub(crate) async fn record(
    store: &PostgresStore,
    outcomes: Arc<[Outcome]>,
) -> Result<(), StoreError> {
    let mut tries = 1;
    loop {
        let recorded = try_once(store, &outcomes).await;
        match recorded {
            Err(fault) if fault.is_passing() && tries < TRIES_MAX => tries += 1,
            done => return done.map_err(StoreError::from),
        }
    }
}

async fn try_once(store: &PostgresStore, outcomes: &[Outcome]) -> Result<(), Fault> {
    let shared = store.shared.clone();
    let turn = match outcomes.len() {
        0..OUTCOMES_IN_TURN => None,
        _ => shared.turns.clone().acquire_owned().await.ok(),
    };
    let mut writing = Writing::on(&store.shared.writers, shared).await?;
    if let Some(turn) = turn {
        writing.hold_up(turn);
    }
    let recorded = record_all(&mut writing, outcomes).await;
    writing.end(recorded).await
}

/// What of a lane decides about its outcomes.
struct Owned {
    integration: IntegrationId,
    fence: Fence,
    node: Option<i64>,
    ordering: Ordering,
}

type Lanes = HashMap<WebhookOutSubId, Owned>;

/// What of a job decides how its outcome is recorded.
struct Job {
    state: JobState,
    ordered: bool,
    order_id: Option<OrderId>,
    passed: bool,
    cancel_requested: bool,
    created_at: Moment,
}

async fn record_all(writing: &mut Writing, outcomes: &[Outcome]) -> Result<(), Fault> {
    let (lanes, mut jobs) = read_all(writing, outcomes).await?;
    let node = writing.shared.lanes.node();
    // What another node owns by now is its own to tell.
    let is_mine = |outcome: &&Outcome| {
        lanes
            .get(&outcome.webhook_out_sub_id)
            .is_some_and(|lane| lane.fence == outcome.fence && lane.node == node)
    };
    let mine: Vec<&Outcome> = outcomes.iter().filter(is_mine).collect();
    let mut settled: Vec<Settled> = Vec::new();
    let mut statistics = StatisticsTally::default();
    let mut groups: HashMap<Group, Moment> = HashMap::new();
    for outcome in mine {
        let at = ended_at(&outcome.attempt);
        let sub = outcome.webhook_out_sub_id;
        let Some(lane) = lanes.get(&sub) else {
            continue;
        };
        if let Some(record) = &outcome.lane {
            health::record(writing, lane.integration, sub, record, at).await?;
        }
        let Some(job) = jobs.get_mut(&outcome.job_id) else {
            continue;
        };
        let Some(one) = Settled::of(job, lane.integration, outcome) else {
            continue;
        };
        let frees_next = one.is_final() || (one.passed && !job.passed);
        if job.ordered && frees_next {
            let group = release::group_of(sub, job.order_id, lane.ordering);
            groups.extend(group.map(|group| (group, at)));
        }
        statistics.count(lane.integration, outcome, one.state, job.created_at);
        if one.state != job.state {
            writing.tally.add(one.state, 1);
        }
        job.state = one.state;
        job.passed = one.passed;
        settled.push(one);
    }
    // The next of each group is looked for once the one that held it has ended: in this order.
    let connection = &writing.connection;
    let (_, next) = try_join!(
        biased;
        settled::store(connection, &settled),
        release::next_of(connection, &groups),
    )?;
    release::release_those(writing, groups, next).await?;
    for one in settled {
        let at = ended_at(&one.outcome.attempt);
        match one.state {
            JobState::Retrying => troubles::job_failed(writing, one.outcome, false, at).await?,
            JobState::Exhausted => troubles::job_failed(writing, one.outcome, true, at).await?,
            _ => {}
        }
    }
    delivery_statistics::add(&writing.connection, node, &statistics).await
}

/// What decides about the outcomes, locked: the lanes first, and then the jobs.
async fn read_all(
    writing: &Writing,
    outcomes: &[Outcome],
) -> Result<(Lanes, HashMap<WebhookJobId, Job>), Fault> {
    let connection = &writing.connection;
    let subs = health::to_switch_off(outcomes);
    if !subs.is_empty() {
        writing.begin().await?;
        health::hold(connection, &subs).await?;
        return try_join!(biased; owned(connection, outcomes), jobs(connection, outcomes));
    }
    let (_, lanes, jobs) = try_join!(
        biased;
        writing.begin(),
        owned(connection, outcomes),
        jobs(connection, outcomes),
    )?;
    Ok((lanes, jobs))
}

/// When the attempt was over.
fn ended_at(attempt: &WebhookAttempt) -> Moment {
    attempt.started_at + Duration::from_micros(attempt.timing.total)
}

async fn owned(connection: &Connection, outcomes: &[Outcome]) -> Result<Lanes, Fault> {
    let mut ids: Vec<i64> = outcomes
        .iter()
        .map(|one| one.webhook_out_sub_id.0)
        .collect();
    ids.sort_unstable();
    ids.dedup();
    let lanes = all(connection, LANES, &[&ids], |row| {
        let id = row.try_get("webhook_out_sub_id")?;
        let ordering = Ordering::parse(row.try_get("ordering")?);
        let unknown = || Fault::corrupt("webhook_out_subs", id, "unknown ordering");
        let lane = Owned {
            integration: IntegrationId(row.try_get("integration_id")?),
            fence: Fence(row.try_get("fence")?),
            node: row.try_get("node_id")?,
            ordering: ordering.ok_or_else(unknown)?,
        };
        Ok((WebhookOutSubId(id), lane))
    })
    .await;
    Ok(lanes?.into_iter().collect())
}

/// The jobs whose outcomes may still count: those that wait, and those that were withdrawn while they were in flight.
async fn jobs(
    connection: &Connection,
    outcomes: &[Outcome],
) -> Result<HashMap<WebhookJobId, Job>, Fault> {
    let mut ids: Vec<i64> = outcomes.iter().map(|one| one.job_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found: HashMap<WebhookJobId, Job> = read(connection, WAITING, &ids).await?;
    ids.retain(|id| !found.contains_key(&WebhookJobId(*id)));
    if !ids.is_empty() {
        found.extend(read(connection, WITHDRAWN, &ids).await?);
    }
    Ok(found)
}

async fn read(
    connection: &Connection,
    sql: &str,
    ids: &[i64],
) -> Result<HashMap<WebhookJobId, Job>, Fault> {
    let jobs = all(connection, sql, &[&ids], |row| {
        let id = row.try_get("id")?;
        let order_id: Option<i64> = row.try_get("order_id")?;
        let state = JobState::parse(row.try_get("state")?);
        let job = Job {
            state: state.ok_or_else(|| Fault::corrupt("webhook_jobs", id, "unknown state"))?,
            ordered: row.try_get("ordered")?,
            order_id: order_id.map(OrderId),
            passed: row.try_get("passed")?,
            cancel_requested: row.try_get("cancel_requested")?,
            created_at: moment(row, "created_at")?,
        };
        Ok((WebhookJobId(id), job))
    })
    .await;
    Ok(jobs?.into_iter().collect())
}

/// Keeps a lane's health.
pub(crate) async fn put_lane(
    connection: &Connection,
    sub: WebhookOutSubId,
    lane: &LaneRecord,
) -> Result<(), Fault> {
    let params: Params = &[&sub.0, &serde_json::to_string(lane)?];
    connection.execute(PUT_LANE, params).await.map(|_| ())
}

impl Settled<'_> {
    /// What becomes of the job; nothing where it is final already. One that was canceled while it was in
    /// flight is delivered all the same if the receiver took it: history tells what happened.
    fn of<'a>(job: &Job, integration: IntegrationId, outcome: &'a Outcome) -> Option<Settled<'a>> {
        let was_withdrawn = matches!(job.state, JobState::Canceled | JobState::Superseded);
        let is_delivered = outcome.next == NextStep::Delivered;
        let may_change = match job.state {
            JobState::Pending | JobState::Retrying => true,
            _ => was_withdrawn && is_delivered,
        };
        if !may_change {
            return None;
        }
        let (state, next_attempt_at, passed) = match outcome.next {
            NextStep::Delivered => (JobState::Delivered, None, job.passed),
            _ if job.cancel_requested => (JobState::Canceled, None, job.passed),
            NextStep::Exhausted => (JobState::Exhausted, None, job.passed),
            NextStep::Retry { at, passed } => (JobState::Retrying, Some(at), job.passed || passed),
        };
        Some(Settled {
            outcome,
            integration,
            state,
            next_attempt_at,
            passed,
            was_withdrawn,
        })
    }
}
