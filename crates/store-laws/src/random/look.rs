//! What can be seen of a store after a command, compared with the model.

use domain::time::Moment;
use domain::webhook_job::JobState;
use futures_util::future::try_join_all;
use rand::RngExt;
use rand::rngs::StdRng;
use store::{JobFilter, JobQuery, OrderQuery, StageQuery, Start, Waiting};

use super::command::{Command, one};
use super::run::{Run, failed};
use super::shown::{Shown, ShownSub};
use super::{Checked, same, same_list};
use crate::{Event, Working, list};

const PAGE_SIZE: u32 = 200;
/// Due jobs that are asked for; few, so that more are left.
const DUE_LIMITS: &[usize] = &[1, 2, 100];

impl<S: Working> Run<'_, S> {
    /// Looks at everything.
    pub(super) async fn look(&self, command: &Command, chance: &mut StdRng) -> Checked {
        self.look_at_told()?;
        for integration in 0..self.integrations.len() {
            // Time and the owner of a lane change no job.
            if !matches!(command, Command::Wait(_) | Command::Start(_)) {
                self.look_at_jobs(integration).await?;
            }
            self.look_at_states(integration, chance).await?;
            self.look_at_subs(integration).await?;
            if matches!(command, Command::Report(_)) {
                self.look_at_orders(integration).await?;
                self.look_at_stages(integration).await?;
            }
        }
        let limits: Vec<usize> = (0..self.subs.len())
            .map(|_| one(DUE_LIMITS, chance).unwrap_or(1))
            .collect();
        let lanes = limits.into_iter().enumerate();
        try_join_all(lanes.map(|(sub, limit)| self.look_at_lane(sub, limit))).await?;
        self.look_at_waiting().await?;
        self.look_at_one(chance).await
    }

    /// That lanes were told of what they may start, and of nothing else.
    fn look_at_told(&self) -> Checked {
        let told = self.world.told.take().into_iter();
        let told = told.filter_map(|event| match event {
            Event::Ready(job) => Some(job),
            _ => None,
        });
        let (mut told, mut expected) = (self.places_of(told), self.model.ready.clone());
        told.sort_unstable();
        expected.sort_unstable();
        same("told to be ready", &told, &expected)
    }

    fn jobs_of(&self, integration: usize) -> impl Iterator<Item = usize> {
        let subs = &self.model.subs;
        let jobs = self.model.jobs.iter().enumerate();
        let here = jobs.filter(move |(_, job)| subs[job.sub].integration == integration);
        here.map(|(place, _)| place)
    }

    fn query(&self, integration: usize, filter: JobFilter) -> JobQuery {
        JobQuery {
            integration_id: self.integrations[integration],
            filter,
            delivering: Vec::new(),
            list: list(PAGE_SIZE),
        }
    }

    async fn look_at_jobs(&self, integration: usize) -> Checked {
        let mut query = self.query(integration, JobFilter::default());
        query.list.count = false;
        let mut stored = Vec::new();
        loop {
            let page = self
                .world
                .store
                .webhook_jobs(query.clone())
                .await
                .map_err(failed)?;
            stored.extend(page.items.iter().map(|job| self.shown(job)));
            let Some(next) = page.next else { break };
            query.list.page.start = Start::After(next);
        }
        let expected: Vec<Shown> = self
            .jobs_of(integration)
            .map(|place| self.expected(place))
            .collect();
        same_list("jobs", &stored, &expected)
    }

    /// Jobs in one state, of one subscription or all.
    async fn look_at_states(&self, integration: usize, chance: &mut StdRng) -> Checked {
        let state = one(&JobState::ALL, chance).unwrap_or(JobState::Pending);
        let sub = chance
            .random_bool(0.5)
            .then(|| chance.random_range(0..self.subs.len()));
        let filter = JobFilter {
            states: vec![state],
            subscriber_ids: sub.map(|sub| self.subs[sub]).into_iter().collect(),
            ..JobFilter::default()
        };
        let mut query = self.query(integration, filter);
        query.list.sort.descending = true;
        let page = self.world.store.webhook_jobs(query).await.map_err(failed)?;
        let is_wanted = |place: &usize| {
            let job = &self.model.jobs[*place];
            job.state == state && sub.is_none_or(|sub| job.sub == sub)
        };
        let mut expected: Vec<usize> = self.jobs_of(integration).filter(is_wanted).collect();
        let count = page.count.map(|count| count.count);
        same("count", &count, &Some(expected.len() as u64))?;
        expected.reverse();
        expected.truncate(PAGE_SIZE as usize);
        let stored = self.places_of(page.items.iter().map(|job| job.id));
        same(
            &format!("jobs that are {}", state.name()),
            &stored,
            &expected,
        )
    }

    async fn look_at_subs(&self, integration: usize) -> Checked {
        let scope = self.integrations[integration];
        let listed = self
            .world
            .store
            .webhook_out_subs(scope, None, list(PAGE_SIZE))
            .await;
        let stored = listed.map_err(failed)?.items;
        let stored: Vec<ShownSub> = stored.iter().map(|sub| self.shown_sub(sub)).collect();
        let subs = self.model.subs.iter().enumerate();
        let here = subs.filter(|(_, sub)| sub.integration == integration && !sub.deleted);
        let expected: Vec<ShownSub> = here.map(|(place, _)| self.expected_sub(place)).collect();
        same_list("subscriptions", &stored, &expected)
    }

    async fn look_at_orders(&self, integration: usize) -> Checked {
        let query = OrderQuery {
            integration_id: self.integrations[integration],
            statuses: Vec::new(),
            external_order_ids: Vec::new(),
            created_from: None,
            created_until: None,
            list: list(PAGE_SIZE),
        };
        let page = self.world.store.orders(query).await.map_err(failed)?;
        let stored = page.items.iter();
        let stored: Vec<_> = stored
            .map(|order| {
                let external_id = order.external_order_id.as_deref();
                (order.id, external_id, order.status.as_str(), order.sequence)
            })
            .collect();
        let orders = self.model.orders.iter().zip(&self.orders);
        let here = orders.filter(|(order, _)| order.integration == integration);
        let expected: Vec<_> = here
            .map(|(order, id)| (*id, Some(order.external_id), order.status, order.sequence))
            .collect();
        same_list("orders", &stored, &expected)
    }

    async fn look_at_stages(&self, integration: usize) -> Checked {
        let query = StageQuery {
            integration_id: self.integrations[integration],
            order_ids: Vec::new(),
            stages: Vec::new(),
            event_slugs: Vec::new(),
            created_from: None,
            created_until: None,
            list: list(PAGE_SIZE),
        };
        let page = self.world.store.order_stages(query).await.map_err(failed)?;
        let stored = page.items.iter();
        let stored: Vec<_> = stored
            .map(|stage| {
                let (word, event) = (stage.stage.as_str(), stage.event_slug.as_deref());
                (
                    stage.id,
                    stage.order_id,
                    stage.sequence,
                    word,
                    event,
                    stage.created_at,
                )
            })
            .collect();
        let orders = &self.model.orders;
        let stages = self.model.stages.iter().zip(&self.stages);
        let here = stages.filter(|(stage, _)| orders[stage.order].integration == integration);
        let expected: Vec<_> = here
            .take(PAGE_SIZE as usize)
            .map(|(stage, id)| {
                let order = self.orders[stage.order];
                (
                    *id,
                    order,
                    stage.sequence,
                    stage.stage,
                    stage.event,
                    stage.at,
                )
            })
            .collect();
        same_list("stages", &stored, &expected)
    }

    /// What the owner of a lane is given.
    async fn look_at_lane(&self, sub: usize, limit: usize) -> Checked {
        let (store, id) = (&self.world.store, self.subs[sub]);
        let jobs = self.model.jobs.iter().enumerate();
        let waiting: Vec<_> = jobs
            .filter(|(_, job)| job.sub == sub && job.waits())
            .collect();
        let mut timed: Vec<(Moment, usize)> = waiting
            .iter()
            .filter_map(|(place, job)| Some((job.due?, *place)))
            .collect();
        timed.sort_unstable();
        let due = timed.iter().filter(|(at, _)| *at <= self.now);
        let due: Vec<usize> = due.map(|(_, place)| *place).collect();
        let more = due.len() > limit;
        let later = timed.get(due.len()).filter(|_| !more).map(|(at, _)| *at);
        let stored = store.due_jobs(id, self.now, limit).await.map_err(failed)?;
        let places = self.places_of(stored.jobs.iter().map(|job| job.id));
        let first: Vec<usize> = due.into_iter().take(limit).collect();
        let stored = (places, stored.more, stored.next_due_at);
        same(
            &format!("due of subscription {sub}"),
            &stored,
            &(first, more, later),
        )?;
        let oldest = store.oldest_job(id).await.map_err(failed)?;
        let stored = oldest.map(|job| (self.place_of(job.id), job.attempts, job.sequence));
        let expected = waiting.first().map(|(place, job)| {
            let sequence = job.stage.map(|stage| self.model.stages[stage].sequence);
            (*place, job.attempts, sequence)
        });
        same(&format!("oldest of subscription {sub}"), &stored, &expected)
    }

    async fn look_at_waiting(&self) -> Checked {
        let stored = self
            .world
            .store
            .waiting_webhook_jobs()
            .await
            .map_err(failed)?;
        let waiting = || self.model.jobs.iter().filter(|job| job.waits());
        let expected = Waiting {
            jobs: waiting().count() as u64,
            oldest_created_at: waiting().map(|job| job.created_at).min(),
        };
        same("waiting", &stored, &expected)
    }

    /// A job by itself, with its attempts.
    async fn look_at_one(&self, chance: &mut StdRng) -> Checked {
        if self.jobs.is_empty() {
            return Ok(());
        }
        let place = chance.random_range(0..self.jobs.len());
        let job = &self.model.jobs[place];
        let scope = self.integrations[self.model.subs[job.sub].integration];
        let stored = self.world.store.webhook_job(scope, self.jobs[place]).await;
        let stored = stored
            .map_err(failed)?
            .ok_or_else(|| format!("job {place} is gone"))?;
        same("job", &self.shown(&stored.job), &self.expected(place))?;
        let numbers: Vec<u32> = stored
            .attempts
            .iter()
            .map(|attempt| attempt.number)
            .collect();
        same("attempts", &numbers, &(1..=job.attempts).collect())?;
        same("has a payload", &stored.payload.is_some(), &true)
    }
}
