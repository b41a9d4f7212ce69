//! What a store must do, said anew in the most obvious way: lists that are looked through from end to end.
//!
//! Records are called by their places in these lists; what ids a store gives them is noted in `run`.

use std::time::Duration;

use domain::time::Moment;
use domain::webhook_job::JobState;
use domain::webhook_out_sub::Ordering;

use super::command::{Next, Report, Update};

mod accept;

pub(super) use self::accept::{EVENTS, STATUSES};

/// What was refused, by parameter.
pub(super) type Refused = Vec<&'static str>;

#[derive(Default)]
pub(super) struct Model {
    pub(super) subs: Vec<Sub>,
    pub(super) orders: Vec<Order>,
    pub(super) stages: Vec<Stage>,
    pub(super) jobs: Vec<Job>,
    pub(super) answers: Vec<Answer>,
    /// Jobs that their lanes are told of by this command.
    pub(super) ready: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Sub {
    pub(super) integration: usize,
    pub(super) statuses: &'static [&'static str],
    pub(super) events: &'static [&'static str],
    pub(super) ordering: Ordering,
    pub(super) supersede: bool,
    pub(super) active: bool,
    pub(super) deleted: bool,
}

pub(super) struct Order {
    pub(super) integration: usize,
    pub(super) external_id: &'static str,
    pub(super) status: &'static str,
    pub(super) sequence: i64,
}

pub(super) struct Stage {
    pub(super) order: usize,
    pub(super) sequence: i64,
    pub(super) stage: &'static str,
    pub(super) event: Option<&'static str>,
    pub(super) at: Moment,
}

#[derive(Clone)]
pub(super) struct Job {
    pub(super) sub: usize,
    /// None for a test.
    pub(super) stage: Option<usize>,
    /// None for what neither waits for others nor holds them: tests, and what is repeated by hand.
    pub(super) order: Option<usize>,
    pub(super) state: JobState,
    /// None while it is held, and when it is final.
    pub(super) due: Option<Moment>,
    pub(super) in_flight: bool,
    pub(super) passed: bool,
    pub(super) cancel_requested: bool,
    pub(super) attempts: u32,
    pub(super) status_code: Option<u16>,
    pub(super) retry_of: Option<usize>,
    pub(super) created_at: Moment,
    pub(super) finished_at: Option<Moment>,
}

/// What was answered under an idempotency key.
pub(super) struct Answer {
    pub(super) report: Report,
    stage: usize,
    at: Moment,
}

impl Job {
    pub(super) fn waits(&self) -> bool {
        !self.state.is_final()
    }

    fn end(&mut self, state: JobState, at: Moment) {
        self.state = state;
        self.due = None;
        self.finished_at = Some(at);
    }
}

impl Sub {
    pub(super) fn sends(&self) -> bool {
        self.active && !self.deleted
    }
}

impl Model {
    /// The earlier job that this one has to wait for.
    pub(super) fn holder(&self, job: usize) -> Option<usize> {
        let held = &self.jobs[job];
        held.order?;
        (0..job).find(|earlier| {
            let one = &self.jobs[*earlier];
            one.sub == held.sub
                && one.waits()
                && !one.passed
                && match self.subs[held.sub].ordering {
                    Ordering::Order => one.order == held.order,
                    Ordering::Subscription => one.order.is_some(),
                    Ordering::None => false,
                }
        })
    }

    /// Lets those go that nothing holds any more; which.
    fn release(&mut self, now: Moment) -> Vec<usize> {
        let mut released = Vec::new();
        for job in 0..self.jobs.len() {
            let is_held = self.jobs[job].waits() && self.jobs[job].due.is_none();
            if is_held && self.holder(job).is_none() {
                self.jobs[job].due = Some(now);
                released.push(job);
            }
        }
        released
    }

    fn release_and_tell(&mut self, now: Moment) {
        let released = self.release(now);
        self.ready.extend(released);
    }

    /// The outcome of an attempt.
    pub(super) fn record(&mut self, place: usize, next: Next, now: Moment) {
        let job = &mut self.jobs[place];
        job.in_flight = false;
        if matches!(next, Next::Gone { .. }) {
            self.subs[job.sub].active = false;
        }
        let is_withdrawn = matches!(job.state, JobState::Canceled | JobState::Superseded);
        // What was withdrawn and arrived all the same has arrived.
        if !(job.waits() || is_withdrawn && next == Next::Delivered) {
            return;
        }
        job.attempts += 1;
        job.status_code = Some(if next == Next::Delivered { 200 } else { 500 });
        match next {
            Next::Delivered => job.end(JobState::Delivered, now),
            _ if job.cancel_requested => job.end(JobState::Canceled, now),
            Next::Exhausted => job.end(JobState::Exhausted, now),
            Next::Retry { after, passed } => {
                job.state = JobState::Retrying;
                job.due = Some(now + Duration::from_secs(after));
                job.passed |= passed;
            }
            Next::Gone { after } => {
                job.state = JobState::Retrying;
                job.due = Some(now + Duration::from_secs(after));
            }
        }
        self.release_and_tell(now);
    }

    fn is_of(&self, job: usize, integration: usize) -> bool {
        self.subs[self.jobs[job].sub].integration == integration
    }

    pub(super) fn cancel(
        &mut self,
        integration: usize,
        job: usize,
        now: Moment,
    ) -> Result<(), Refused> {
        if !self.is_of(job, integration) || !self.jobs[job].waits() {
            return Err(vec!["id"]);
        }
        if self.jobs[job].in_flight {
            self.jobs[job].cancel_requested = true;
        } else {
            self.jobs[job].end(JobState::Canceled, now);
            self.release_and_tell(now);
        }
        Ok(())
    }

    /// Retries by hand; the job that is due now.
    pub(super) fn retry(
        &mut self,
        integration: usize,
        place: usize,
        now: Moment,
    ) -> Result<usize, Refused> {
        let job = &mut self.jobs[place];
        let sub = &self.subs[job.sub];
        if sub.integration != integration || !sub.sends() {
            return Err(vec!["id"]);
        }
        if job.waits() {
            job.due = job.due.map(|due| due.min(now));
            self.ready.extend(job.due.map(|_| place));
            return Ok(place);
        }
        let repeated = Job {
            retry_of: Some(place),
            ..Job::new(job.sub, job.stage, None, now)
        };
        self.jobs.push(repeated);
        self.release_and_tell(now);
        Ok(self.jobs.len() - 1)
    }

    pub(super) fn test(&mut self, sub: usize, now: Moment) -> Result<usize, Refused> {
        if !self.subs[sub].sends() {
            return Err(vec!["id"]);
        }
        self.jobs.push(Job::new(sub, None, None, now));
        self.release_and_tell(now);
        Ok(self.jobs.len() - 1)
    }

    pub(super) fn update(
        &mut self,
        sub: usize,
        update: Update,
        now: Moment,
    ) -> Result<(), Refused> {
        let sub = &mut self.subs[sub];
        if sub.deleted {
            return Err(vec!["id"]);
        }
        sub.active = update.active.unwrap_or(sub.active);
        sub.ordering = update.ordering.unwrap_or(sub.ordering);
        sub.supersede = update.supersede.unwrap_or(sub.supersede);
        // They may be many: the lane is told that it has changed, and asks.
        self.release(now);
        Ok(())
    }

    pub(super) fn delete(&mut self, sub: usize, now: Moment) -> Result<(), Refused> {
        if self.subs[sub].deleted {
            return Err(vec!["id"]);
        }
        self.subs[sub].deleted = true;
        for job in self.jobs.iter_mut().filter(|job| job.sub == sub) {
            job.in_flight = false;
            if job.waits() {
                job.end(JobState::Canceled, now);
            }
        }
        Ok(())
    }
}

impl Job {
    fn new(sub: usize, stage: Option<usize>, order: Option<usize>, now: Moment) -> Job {
        Job {
            sub,
            stage,
            order,
            state: JobState::Pending,
            due: None,
            in_flight: false,
            passed: false,
            cancel_requested: false,
            attempts: 0,
            status_code: None,
            retry_of: None,
            created_at: now,
            finished_at: None,
        }
    }
}
