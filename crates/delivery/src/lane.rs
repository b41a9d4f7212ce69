//! One subscription's lane: what it may do at this moment.

use std::sync::Arc;

use domain::callback_header::CallbackHeader;
use domain::health::{HealthState, LaneHealth};
use domain::id::WebhookOutSubId;
use domain::in_flight::Window;
use domain::rate_limit::Spent;
use domain::signature::SigningSecrets;
use domain::time::Moment;
use domain::webhook_out_sub::WebhookOutSub;
use store::{Fence, ReadyJob};

use crate::backlog::{Backlog, Room};
use crate::memory::Memory;
use crate::slots::{LinedUp, Place, Trust};

/// Most jobs that a lane queues once memory is full: a thousand such lanes still hold few, and claims bring more in time.
pub(crate) const RESERVED_JOBS_MAX: usize = 8;

/// A lane, with where it stands in the lines of `dispatch`.
pub(crate) struct Lane {
    pub(crate) sub: Arc<WebhookOutSub>,
    pub(crate) fence: Fence,
    pub(crate) health: LaneHealth,
    pub(crate) window: Window,
    pub(crate) backlog: Backlog,
    pub(crate) in_flight: u32,
    /// Where it stands in line for a slot.
    pub(crate) lined_up: LinedUp,
    /// Whether it stands in line for a claim.
    pub(crate) is_claim_lined_up: bool,
    /// When its alarm is set to.
    pub(crate) alarm_at: Option<Moment>,
    secrets: Arc<SigningSecrets>,
    headers: Arc<[CallbackHeader]>,
    /// What was spent of the subscription's rate limit.
    spent: Spent,
    is_closed: bool,
}

/// What a lane does with its jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It sends.
    Sends,
    /// It rests: sends the oldest job only, when that is due.
    Probes,
    /// It is off, inactive or gone: everything stays in the store.
    Stands,
}

/// What a lane asks the store for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Up to so many jobs that are due.
    DueJobs(usize),
    /// The oldest job, due or not.
    OldestJob,
}

/// A job on its way, with all that an attempt needs.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) job: ReadyJob,
    pub(crate) sub: Arc<WebhookOutSub>,
    pub(crate) secrets: Arc<SigningSecrets>,
    pub(crate) headers: Arc<[CallbackHeader]>,
    pub(crate) fence: Fence,
    /// Whose slot it holds.
    pub(crate) trust: Trust,
}

impl Lane {
    pub(crate) fn new(lane: store::Lane) -> Lane {
        Lane {
            fence: lane.fence,
            health: LaneHealth::from_record(lane.sub.health.clone()),
            window: Window::new(lane.sub.in_flight_max()),
            backlog: Backlog::new(lane.next_due_at),
            in_flight: 0,
            lined_up: LinedUp::default(),
            is_claim_lined_up: false,
            alarm_at: None,
            sub: lane.sub,
            secrets: lane.secrets,
            headers: lane.headers,
            spent: Spent::default(),
            is_closed: false,
        }
    }

    /// Takes over what has changed; the next attempt uses it.
    ///
    /// The health is this lane's own matter, and what the store tells of it may be older; but only the
    /// store knows that somebody switched the lane on or off.
    pub(crate) fn change(&mut self, lane: store::Lane, memory: &mut Memory) {
        let stood = self.standing();
        // One that was closed for another process has come back.
        self.is_closed = false;
        let kept = &lane.sub.health;
        if kept.is_off() || self.health.record().is_off() {
            self.health = LaneHealth::from_record(kept.clone());
            self.window = Window::new(lane.sub.in_flight_max());
        }
        self.window.set_max(lane.sub.in_flight_max());
        self.fence = lane.fence;
        self.sub = lane.sub;
        self.secrets = lane.secrets;
        self.headers = lane.headers;
        self.backlog.wake_by(lane.next_due_at);
        if self.standing() != stood {
            self.backlog.drop_queue(memory);
        }
    }

    /// Leaves all jobs alone from now on.
    pub(crate) fn close(&mut self, memory: &mut Memory) {
        self.is_closed = true;
        self.backlog.drop_queue(memory);
    }

    /// Whether the lane is gone, and so is the last of its jobs.
    pub(crate) fn is_spent(&self) -> bool {
        self.is_closed && self.backlog.is_empty() && !self.backlog.is_claiming()
    }

    pub(crate) fn standing(&self) -> Standing {
        if self.is_closed || !self.sub.active {
            return Standing::Stands;
        }
        match self.health.state() {
            HealthState::Healthy => Standing::Sends,
            HealthState::Resting => Standing::Probes,
            HealthState::Off => Standing::Stands,
        }
    }

    /// Where it belongs in line.
    pub(crate) fn place(&self, now: Moment) -> Place {
        let has_failed = self.health.record().failing_since.is_some();
        let trust = match self.standing() {
            Standing::Sends if self.window.is_trusted(now) => Trust::Trusted,
            Standing::Sends if !has_failed => Trust::Quiet,
            _ => Trust::Suspect,
        };
        Place {
            trust,
            is_idle: self.in_flight == 0,
        }
    }

    /// A job may be sent: queued, or left to the store for a later claim.
    pub(crate) fn offer(&mut self, job: ReadyJob, memory: &mut Memory, now: Moment) {
        if asks_now(&job) {
            self.health.asked_to_go_on();
        }
        if self.backlog.knows(&job, memory, now) {
            return;
        }
        match self.standing() {
            Standing::Sends => {
                let mut room = self.room(memory, now);
                self.backlog.offer(job, &mut room);
            }
            Standing::Probes if asks_now(&job) && self.backlog.is_empty() => {
                self.backlog.push(job, memory);
            }
            // When the next probe is due is known, and a fresh job is never the oldest. A claim under way may find
            // that there is no other.
            Standing::Probes if self.knows_next_probe() => {}
            Standing::Probes | Standing::Stands => self.backlog.fall_behind(),
        }
    }

    fn knows_next_probe(&self) -> bool {
        self.backlog.wake_at().is_some() && !self.backlog.is_claiming()
    }

    /// Whether a job could be sent, given a slot.
    pub(crate) fn can_start(&mut self, now: Moment) -> bool {
        self.has_room(now) && self.must_wait_until(now).is_none()
    }

    /// When the lane must be looked at again: something falls due, or what holds the next job up is over.
    pub(crate) fn wake_at(&mut self, now: Moment) -> Option<Moment> {
        let waits = self.has_room(now).then(|| self.must_wait_until(now));
        let wakes = [self.backlog.wake_at(), waits.flatten()];
        wakes.into_iter().flatten().min()
    }

    /// Until when the receiver's wish or the subscription's rate holds the next job up, if one does.
    fn must_wait_until(&mut self, now: Moment) -> Option<Moment> {
        let limit = self.sub.rate_limit.as_ref();
        let by_rate = limit.and_then(|limit| self.spent.wait_until(limit, now));
        self.health.pause(now).max(by_rate)
    }

    fn has_room(&self, now: Moment) -> bool {
        let limit = match self.standing() {
            Standing::Sends => self.window.limit(now),
            Standing::Probes => 1,
            Standing::Stands => 0,
        };
        self.backlog.has_queued() && self.in_flight < limit
    }

    /// Takes the next job, on a slot of this trust.
    pub(crate) fn start(
        &mut self,
        trust: Trust,
        memory: &mut Memory,
        now: Moment,
    ) -> Option<Start> {
        let job = self.backlog.start(memory)?;
        self.in_flight += 1;
        if let Some(limit) = &self.sub.rate_limit {
            self.spent.spend(limit, now);
        }
        Some(Start {
            job,
            sub: self.sub.clone(),
            secrets: self.secrets.clone(),
            headers: self.headers.clone(),
            fence: self.fence,
            trust,
        })
    }

    /// What the lane wants to know of the store, if anything.
    pub(crate) fn wants_claim(&self, memory: &mut Memory, now: Moment) -> bool {
        match self.standing() {
            Standing::Sends => self.backlog.wants_due_jobs(&self.room(memory, now)),
            Standing::Probes => self.backlog.wants_oldest_job(),
            Standing::Stands => false,
        }
    }

    /// Begins a claim.
    pub(crate) fn begin_claim(&mut self, memory: &mut Memory, now: Moment) -> Wanted {
        let limit = self.backlog.begin_claim(&self.room(memory, now), now);
        match self.standing() {
            Standing::Sends => Wanted::DueJobs(limit),
            Standing::Probes | Standing::Stands => Wanted::OldestJob,
        }
    }

    /// Takes what a claim brought, if it is still what the lane wants.
    pub(crate) fn take_due_jobs(&mut self, due: store::DueJobs, memory: &mut Memory, now: Moment) {
        if self.standing() == Standing::Sends {
            let mut room = self.room(memory, now);
            self.backlog.take_due_jobs(due, &mut room, now);
        } else {
            self.backlog.forget_claim(memory);
        }
    }

    /// Takes the job that is to probe, if the lane still probes.
    pub(crate) fn take_oldest_job(
        &mut self,
        oldest: Option<ReadyJob>,
        memory: &mut Memory,
        now: Moment,
    ) {
        if self.standing() == Standing::Probes {
            self.backlog.take_oldest_job(oldest, memory, now);
        } else {
            self.backlog.forget_claim(memory);
        }
    }

    /// The outcome of a job is committed.
    pub(crate) fn recorded(&mut self, job: domain::id::WebhookJobId, retry_at: Option<Moment>) {
        self.backlog.recorded(job, retry_at);
        // Another job may be the oldest now.
        if self.standing() == Standing::Probes {
            self.backlog.fall_behind();
        }
    }

    pub(crate) fn id(&self) -> WebhookOutSubId {
        self.sub.id
    }

    fn room<'a>(&self, memory: &'a mut Memory, now: Moment) -> Room<'a> {
        let limit = usize::try_from(self.window.limit(now)).unwrap_or(1);
        let reserved = limit.min(RESERVED_JOBS_MAX);
        Room { memory, reserved }
    }
}

/// Whether somebody waits for this very job, so that it may probe at once: a test, or one that was made
/// due by hand (a fresh job has no attempts).
fn asks_now(job: &ReadyJob) -> bool {
    job.test || job.attempts > 0
}

#[cfg(test)]
mod tests;
