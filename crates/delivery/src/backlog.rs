//! Which of a lane's jobs are in memory, and when the store must be asked for others.
//!
//! The lane is *behind* while the store may have due jobs that are not here. Fresh jobs are then left in
//! the store too, and claims bring everything in the order of due times, a part at a time. Otherwise
//! fresh jobs go straight into the queue, and nothing is read back.
//!
//! A claim reads a snapshot while the world goes on. What happens meanwhile is noted in [`UnderWay`]:
//! - a job leaves memory (recorded): the snapshot may still show it as due, so it is not taken from it;
//! - a job is offered: the snapshot may lack it, so it is kept beside, and queued behind the claimed ones if
//!   these are all that the store had; if it finds no room, the lane stays behind and claims again;
//! - jobs in memory are in the snapshot as well, and are known by their ids.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use domain::id::WebhookJobId;
use domain::time::Moment;
use store::{DueJobs, ReadyJob, Withdrawal};

use crate::memory::Memory;
use crate::withdrawn::Withdrawn;

/// Most jobs in the queue of one lane: enough that claims of most of them keep the fastest lane busy.
pub const QUEUE_JOBS_MAX: usize = 512;
/// Which part of its room a queue still fills when the store is asked for more, as a divisor. What is in memory is read once more by
/// each claim, and what is left has to last until the answer.
const CLAIM_PART: usize = 4;
/// How long a lane waits after a claim that failed.
const RECLAIM_MILLISECONDS: u64 = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    queue: VecDeque<ReadyJob>,
    /// Every job that is in memory, whether or not it still waits in the queue.
    places: HashMap<WebhookJobId, Place>,
    claim: Option<UnderWay>,
    withdrawn: Withdrawn,
    is_behind: bool,
    /// When the first job that is not due yet will be, so far as is known. Too early costs an idle claim.
    wake_at: Option<Moment>,
}

/// How far a job in memory has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Queued,
    InFlight(Again),
    /// Attempted, and its outcome is not committed yet.
    Attempted(Again),
}

/// Whether the job was offered again since it was started: then its outcome may not be the store's last
/// word on when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    No,
    Yes,
}

/// What happened since a claim was begun.
#[derive(Debug, Default)]
struct UnderWay {
    left: HashSet<WebhookJobId>,
    /// What is withdrawn, since a moment before it began: that may be forgotten before it ends.
    withdrawn: HashSet<WebhookJobId>,
    arrived: Vec<ReadyJob>,
    has_missed: bool,
}

/// What a lane has room for.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    /// Shared with all lanes.
    pub(crate) memory: &'a mut Memory,
    /// What this lane may queue even if memory is full: at least 1.
    pub(crate) reserved: usize,
}

impl Room<'_> {
    fn capacity(&self) -> usize {
        if self.memory.is_full() {
            self.reserved.min(QUEUE_JOBS_MAX)
        } else {
            QUEUE_JOBS_MAX
        }
    }
}

impl Backlog {
    /// A backlog of which nothing is known but when its first job is due.
    pub(crate) fn new(next_due_at: Option<Moment>) -> Backlog {
        Backlog {
            wake_at: next_due_at,
            ..Backlog::default()
        }
    }

    /// Whether this job is in memory, or was withdrawn a moment ago; a newer version of a queued job
    /// replaces the older.
    pub(crate) fn knows(&mut self, job: &ReadyJob, memory: &mut Memory, now: Moment) -> bool {
        match self.places.get_mut(&job.id) {
            None => return self.is_withdrawn(job.id, now),
            Some(Place::InFlight(again) | Place::Attempted(again)) => *again = Again::Yes,
            Some(Place::Queued) => {
                let queued = self.queue.iter_mut().find(|queued| queued.id == job.id);
                if let Some(queued) = queued {
                    memory.remove(queued);
                    memory.add(job);
                    *queued = job.clone();
                }
            }
        }
        true
    }

    /// Takes a job that may be sent, if there is room and nothing older waits in the store.
    pub(crate) fn offer(&mut self, job: ReadyJob, room: &mut Room<'_>) {
        if !self.has_room(room) {
            self.fall_behind();
        } else if let Some(claim) = &mut self.claim {
            room.memory.add(&job);
            claim.arrived.push(job);
        } else if !self.is_behind {
            self.push(job, room.memory);
        }
    }

    /// Queues a job whatever else waits: one that probes.
    pub(crate) fn push(&mut self, job: ReadyJob, memory: &mut Memory) {
        memory.add(&job);
        self.places.insert(job.id, Place::Queued);
        self.queue.push_back(job);
    }

    /// Notes that the store may have a due job that is not here.
    pub(crate) fn fall_behind(&mut self) {
        self.is_behind = true;
        if let Some(claim) = &mut self.claim {
            claim.has_missed = true;
        }
    }

    /// Notes that the store has a job that is not offered, if the store will be asked anyway; whether it will.
    pub(crate) fn will_look(&mut self) -> bool {
        if self.is_behind {
            self.fall_behind();
        }
        self.is_behind
    }

    /// Leaves everything that waits to the store.
    pub(crate) fn drop_queue(&mut self, memory: &mut Memory) {
        for job in self.queue.drain(..) {
            memory.remove(&job);
            self.places.remove(&job.id);
        }
        if let Some(claim) = &mut self.claim {
            claim.arrived.drain(..).for_each(|job| memory.remove(&job));
        }
        self.fall_behind();
    }

    /// Takes the next job to be sent.
    pub(crate) fn start(&mut self, memory: &mut Memory) -> Option<ReadyJob> {
        let job = self.queue.pop_front()?;
        memory.remove(&job);
        self.places.insert(job.id, Place::InFlight(Again::No));
        Some(job)
    }

    /// A job was attempted; its outcome is on its way to the store.
    pub(crate) fn attempted(&mut self, id: WebhookJobId) {
        if let Some(place) = self.places.get_mut(&id)
            && let Place::InFlight(again) = *place
        {
            *place = Place::Attempted(again);
        }
    }

    /// The outcome of a job is committed, with the moment of its next attempt if there is one.
    pub(crate) fn recorded(&mut self, id: WebhookJobId, retry_at: Option<Moment>) {
        let place = self.places.remove(&id);
        if let Some(claim) = &mut self.claim {
            claim.left.insert(id);
        }
        if place == Some(Place::Attempted(Again::Yes)) {
            self.fall_behind();
        }
        self.wake_by(retry_at);
    }

    /// Takes a job back, unless it has been started.
    pub(crate) fn withdraw(
        &mut self,
        id: WebhookJobId,
        memory: &mut Memory,
        now: Moment,
    ) -> Withdrawal {
        match self.places.get(&id) {
            Some(Place::InFlight(_) | Place::Attempted(_)) => return Withdrawal::InFlight,
            Some(Place::Queued) => {
                let position = self.queue.iter().position(|job| job.id == id);
                if let Some(job) = position.and_then(|position| self.queue.remove(position)) {
                    memory.remove(&job);
                }
                self.places.remove(&id);
            }
            None => {}
        }
        if let Some(claim) = &mut self.claim {
            claim.withdrawn.insert(id);
            // It may have been offered more than once.
            for job in claim.arrived.extract_if(.., |job| job.id == id) {
                memory.remove(&job);
            }
        }
        let forgotten_at = self.withdrawn.insert(id, now);
        self.wake_by(Some(forgotten_at));
        Withdrawal::Withdrawn
    }

    /// Whether it is time to ask the store for what is due.
    pub(crate) fn wants_due_jobs(&self, room: &Room<'_>) -> bool {
        self.is_behind && self.claim.is_none() && self.queue.len() * CLAIM_PART <= room.capacity()
    }

    /// Whether it is time to ask the store for the oldest job: nothing else is in memory.
    pub(crate) fn wants_oldest_job(&self) -> bool {
        self.is_behind && self.claim.is_none() && self.places.is_empty()
    }

    /// Begins a claim; returns how many jobs it asks for, so many that enough of them are new.
    pub(crate) fn begin_claim(&mut self, room: &Room<'_>, now: Moment) -> usize {
        self.claim = Some(UnderWay {
            withdrawn: self.withdrawn.ids(now).collect(),
            ..UnderWay::default()
        });
        let wanted = room.capacity().saturating_sub(self.queue.len());
        wanted + self.places.len() + self.withdrawn.len()
    }

    /// Takes what a claim of due jobs brought.
    pub(crate) fn take_due_jobs(&mut self, due: DueJobs, room: &mut Room<'_>, now: Moment) {
        let claim = self.end_claim(room.memory);
        let mut has_missed = claim.has_missed;
        let mut has_more = due.more;
        let arrived = claim.arrived.iter().map(|job| (job.id, job));
        let newer: HashMap<WebhookJobId, &ReadyJob> = arrived.collect();
        for job in due.jobs {
            if !self.is_new(job.id, now) || claim.left.contains(&job.id) {
                continue;
            }
            // Only a newer snapshot tells whether the withdrawal was committed.
            if claim.withdrawn.contains(&job.id) {
                has_missed = true;
                continue;
            }
            if !self.has_room(room) {
                has_more = true;
                break;
            }
            // What was offered meanwhile is newer than the snapshot.
            let job = newer.get(&job.id).map_or(job, |newer| (*newer).clone());
            self.push(job, room.memory);
        }
        self.is_behind = has_more || has_missed;
        self.wake_by(due.next_due_at);
        // What arrived is younger than what the store still has, and is in the store as well.
        if has_more {
            return;
        }
        for job in claim.arrived {
            if !self.is_new(job.id, now) {
                continue;
            }
            if self.has_room(room) {
                self.push(job, room.memory);
            } else {
                self.is_behind = true;
            }
        }
    }

    /// Takes the oldest job that a claim brought: queued if it is due, waited for otherwise.
    pub(crate) fn take_oldest_job(
        &mut self,
        oldest: Option<ReadyJob>,
        memory: &mut Memory,
        now: Moment,
    ) {
        let claim = self.end_claim(memory);
        let Some(job) = oldest else {
            // What was waited for is final: what comes next must not wait for its moment.
            self.wake_at = None;
            self.is_behind = claim.has_missed;
            return;
        };
        // Something else probes already.
        self.is_behind = !self.places.is_empty();
        if self.is_behind || self.is_withdrawn(job.id, now) {
            return;
        }
        // The snapshot was older than the job's last outcome, or than what people did with it.
        self.is_behind = claim.left.contains(&job.id) || claim.withdrawn.contains(&job.id);
        if self.is_behind {
            return;
        }
        if job.due_at <= now {
            self.push(job, memory);
        } else {
            self.wake_by(Some(job.due_at));
        }
    }

    /// Forgets a claim whose result is not wanted any more.
    pub(crate) fn forget_claim(&mut self, memory: &mut Memory) {
        self.end_claim(memory);
        self.is_behind = true;
    }

    /// Notes that a claim failed: it is tried again in a while, not at once.
    pub(crate) fn claim_failed(&mut self, memory: &mut Memory, now: Moment) {
        self.end_claim(memory);
        self.is_behind = false;
        self.wake_by(Some(now + Duration::from_millis(RECLAIM_MILLISECONDS)));
    }

    /// The moment that was waited for has come.
    pub(crate) fn wake(&mut self) {
        self.wake_at = None;
        self.fall_behind();
    }

    /// Sees to it that the lane wakes no later than this.
    pub(crate) fn wake_by(&mut self, at: Option<Moment>) {
        self.wake_at = match (self.wake_at, at) {
            (Some(known), Some(at)) => Some(known.min(at)),
            (known, at) => known.or(at),
        };
    }

    pub(crate) fn wake_at(&self) -> Option<Moment> {
        self.wake_at
    }

    /// Whether a job waits in the queue.
    pub(crate) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether no job is in memory.
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a claim is under way.
    pub(crate) fn is_claiming(&self) -> bool {
        self.claim.is_some()
    }

    /// The jobs that are being sent at this moment.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = WebhookJobId> {
        let places = self.places.iter();
        places.filter_map(|(id, place)| matches!(place, Place::InFlight(_)).then_some(*id))
    }

    fn is_new(&mut self, id: WebhookJobId, now: Moment) -> bool {
        !self.places.contains_key(&id) && !self.is_withdrawn(id, now)
    }

    /// Whether the job was withdrawn a moment ago. If the store still has it when that is forgotten, it is looked
    /// for then: the lane may have been woken before for another reason, and have forgotten that too.
    fn is_withdrawn(&mut self, id: WebhookJobId, now: Moment) -> bool {
        let forgotten_at = self.withdrawn.until(id, now);
        self.wake_by(forgotten_at);
        forgotten_at.is_some()
    }

    fn has_room(&self, room: &Room<'_>) -> bool {
        let arrived = self.claim.as_ref().map_or(0, |claim| claim.arrived.len());
        self.queue.len() + arrived < room.capacity()
    }

    fn end_claim(&mut self, memory: &mut Memory) -> UnderWay {
        let claim = self.claim.take().unwrap_or_default();
        claim.arrived.iter().for_each(|job| memory.remove(job));
        claim
    }
}

#[cfg(test)]
mod tests;
