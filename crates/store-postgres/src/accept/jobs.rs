//! Jobs: whom each is for, whether it has to wait for others, and all of them stored by one statement.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use domain::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::order::OrderStage;
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;
use store::ReadyJob;
use uuid::Uuid;

use crate::fault::Fault;
use crate::list_query::all;
use crate::writing::Writing;
use crate::{locks, release, supersede};

// the ids come in the order of the arrays
pub(crate) const INSERT: &str = "insert into webhook_jobs_waiting (integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, \
     status, event, webhook_id, ordered, next_attempt_at, test, retry_of, late, view_failed, created_at) \
     select j.integration_id, j.webhook_out_sub_id, j.order_id, j.order_stage_id, j.sequence, j.payload_id, j.status, j.event, \
     j.webhook_id, j.ordered, j.next_attempt_at, j.test, j.retry_of, j.late, j.view_failed, j.created_at \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::uuid[], \
     $10::boolean[], $11::bigint[], $12::boolean[], $13::bigint[], $14::boolean[], $15::text[], $16::bigint[]) with ordinality \
     as j (integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, status, event, webhook_id, ordered, \
     next_attempt_at, test, retry_of, late, view_failed, created_at, place) order by j.place returning id";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[INSERT];

/// Whom a job is for, and by which rules it waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipient {
    pub(crate) id: WebhookOutSubId,
    pub(crate) ordering: Ordering,
    pub(crate) supersede: bool,
    /// Whether it waits for others, and holds them.
    pub(crate) ordered: bool,
    /// Whether the job is made with the stage, which then is the newest that its order has.
    pub(crate) fresh: bool,
}

/// A job to be.
pub(crate) struct NewJob {
    pub(crate) integration_id: IntegrationId,
    pub(crate) recipient: Recipient,
    pub(crate) order_id: Option<OrderId>,
    pub(crate) order_stage_id: Option<OrderStageId>,
    pub(crate) sequence: Option<i64>,
    pub(crate) payload_id: i64,
    pub(crate) payload: Bytes,
    pub(crate) view_failed: Option<Arc<str>>,
    pub(crate) status: String,
    pub(crate) event: Option<String>,
    pub(crate) test: bool,
    pub(crate) retry_of: Option<WebhookJobId>,
    pub(crate) at: Moment,
}

impl NewJob {
    /// The job of a stage.
    pub(crate) fn of(
        recipient: Recipient,
        stage: &OrderStage,
        payload: (i64, Bytes),
        view_failed: Option<Arc<str>>,
        at: Moment,
    ) -> NewJob {
        NewJob {
            integration_id: stage.integration_id,
            recipient,
            order_id: Some(stage.order_id),
            order_stage_id: Some(stage.id),
            sequence: Some(stage.sequence),
            payload_id: payload.0,
            payload: payload.1,
            view_failed,
            status: stage.stage.clone(),
            event: stage.event_slug.clone(),
            test: false,
            retry_of: None,
            at,
        }
    }

    /// The jobs among which it waits for others, and holds them.
    fn group(&self) -> Option<Group> {
        let recipient = &self.recipient;
        let order = self.order_id.filter(|_| recipient.ordered)?;
        match recipient.ordering {
            Ordering::Order => Some(Group::Order(recipient.id, order)),
            Ordering::Subscription => Some(Group::Subscription(recipient.id)),
            Ordering::None => None,
        }
    }

    /// The same, if there may be one before it.
    fn group_before(&self) -> Option<Group> {
        // The first stage of an order, when it is new, has nothing before it that could hold it.
        let is_first = self.recipient.fresh && self.sequence == Some(1);
        let group = self.group();
        group.filter(|group| !(is_first && matches!(group, Group::Order(..))))
    }

    fn is_late(&self) -> bool {
        !self.recipient.fresh && self.order_stage_id.is_some()
    }
}

/// Jobs that go out one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Group {
    /// Those of an order.
    Order(WebhookOutSubId, OrderId),
    /// All of a subscription.
    Subscription(WebhookOutSubId),
}

/// What comes after the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// More of the same transaction.
    More,
    /// The commit.
    Commit,
}

/// Stores jobs, and hands those that nothing holds to their lanes; their ids, in their order.
pub(crate) async fn insert_jobs(
    writing: &mut Writing,
    jobs: &[NewJob],
    then: Then,
) -> Result<Vec<WebhookJobId>, Fault> {
    let sequences = jobs.iter().filter_map(|job| match job.group() {
        Some(Group::Subscription(sub)) => Some(sub),
        _ => None,
    });
    locks::hold_sequences(&writing.connection, sequences).await?;
    let mut ids = Vec::with_capacity(jobs.len());
    let mut left = jobs;
    while !left.is_empty() {
        let (run, later) = left.split_at(run_length(left));
        let then = if later.is_empty() { then } else { Then::More };
        ids.extend(insert_run(writing, run, then).await?);
        left = later;
    }
    Ok(ids)
}

/// How many of the jobs can be stored by one statement: none of them replaces another one.
fn run_length(jobs: &[NewJob]) -> usize {
    let mut replacing = HashSet::new();
    let repeats = |job: &NewJob| {
        job.recipient.supersede && !replacing.insert((job.recipient.id, job.order_id))
    };
    jobs.iter().position(repeats).unwrap_or(jobs.len())
}

async fn insert_run(
    writing: &mut Writing,
    jobs: &[NewJob],
    then: Then,
) -> Result<Vec<WebhookJobId>, Fault> {
    for job in jobs.iter().filter(|job| job.recipient.supersede) {
        supersede::replace_waiting(writing, job).await?;
    }
    let groups: HashSet<Group> = jobs.iter().filter_map(NewJob::group_before).collect();
    let mut held = release::held(&writing.connection, &groups).await?;
    let mut due = Vec::with_capacity(jobs.len());
    for job in jobs {
        let is_held = job
            .group_before()
            .is_some_and(|group| held.contains(&group));
        due.push((!is_held).then_some(job.at));
        // It holds those behind it, in this very list too.
        held.extend(job.group());
    }
    let webhook_ids: Vec<WebhookId> = jobs
        .iter()
        .map(|job| WebhookId::new(job.at, writing.shared.random()))
        .collect();
    let ids = match then {
        Then::More => insert(writing, jobs, &due, &webhook_ids).await?,
        Then::Commit => {
            writing.last();
            let last = insert(writing, jobs, &due, &webhook_ids);
            writing.commit_with(last).await?
        }
    };
    writing.tally.add(JobState::Pending, jobs.len());
    for (place, job) in jobs.iter().enumerate() {
        if let (Some(due_at), Some(id)) = (due[place], ids.get(place)) {
            writing.ready(job.ready(*id, webhook_ids[place], due_at));
        }
    }
    Ok(ids)
}

impl NewJob {
    fn ready(&self, id: WebhookJobId, webhook_id: WebhookId, due_at: Moment) -> ReadyJob {
        ReadyJob {
            id,
            webhook_out_sub_id: self.recipient.id,
            order_id: self.order_id,
            sequence: self.sequence,
            webhook_id,
            attempts: 0,
            job_faults: 0,
            first_attempt_clock: None,
            created_at: self.at,
            due_at,
            payload: self.payload.clone(),
            test: self.test,
        }
    }
}

async fn insert(
    writing: &Writing,
    jobs: &[NewJob],
    due: &[Option<Moment>],
    webhook_ids: &[WebhookId],
) -> Result<Vec<WebhookJobId>, Fault> {
    fn column<T>(jobs: &[NewJob], value: impl Fn(&NewJob) -> T) -> Vec<T> {
        jobs.iter().map(value).collect()
    }
    let due: Vec<Option<i64>> = due.iter().map(|at| at.map(Moment::microseconds)).collect();
    let webhook_ids: Vec<Uuid> = webhook_ids
        .iter()
        .map(|id| Uuid::from_bytes(*id.as_bytes()))
        .collect();
    let texts = |value: fn(&NewJob) -> Option<&str>| -> Vec<Option<&str>> {
        jobs.iter().map(value).collect()
    };
    all(
        &writing.connection,
        INSERT,
        &[
            &column(jobs, |job| job.integration_id.0),
            &column(jobs, |job| job.recipient.id.0),
            &column(jobs, |job| job.order_id.map(|id| id.0)),
            &column(jobs, |job| job.order_stage_id.map(|id| id.0)),
            &column(jobs, |job| job.sequence),
            &column(jobs, |job| job.payload_id),
            &texts(|job| Some(job.status.as_str())),
            &texts(|job| job.event.as_deref()),
            &webhook_ids,
            &column(jobs, |job| job.recipient.ordered),
            &due,
            &column(jobs, |job| job.test),
            &column(jobs, |job| job.retry_of.map(|id| id.0)),
            &column(jobs, NewJob::is_late),
            &texts(|job| job.view_failed.as_deref()),
            &column(jobs, |job| job.at.microseconds()),
        ],
        |row| Ok(WebhookJobId(row.try_get(0)?)),
    )
    .await
}
