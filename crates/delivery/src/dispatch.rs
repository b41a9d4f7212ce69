//! The decisions of all lanes: who starts what, who asks the store, who wakes when.
//!
//! A state machine without I/O: what happens is told to it, and [`Dispatch::work`] says what to do. After
//! whatever changes a lane, [`Dispatch::consider`] lines it up for what it may do now; nothing else has
//! to remember who waits for what.

use std::collections::{BTreeSet, HashMap, VecDeque};

use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::retry::RetryPolicy;
use domain::time::Moment;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{DueJobs, NextStep, Outcome, ReadyJob, Withdrawal};

use crate::judge::Judged;
use crate::lane::{Lane, Start, Wanted};
use crate::memory::Memory;
use crate::settle::Rules;
use crate::slots::Slots;
use crate::stats::Stats;

/// Most claims at once: the store has few readers, and others read as well.
const CLAIMS_AT_ONCE_MAX: usize = 4;

pub(crate) struct Dispatch {
    lanes: HashMap<WebhookOutSubId, Lane>,
    slots: Slots,
    memory: Memory,
    rules: Rules,
    /// The lanes that want a claim, each once.
    claims: VecDeque<WebhookOutSubId>,
    claims_under_way: usize,
    alarms: BTreeSet<(Moment, WebhookOutSubId)>,
    unrecorded: usize,
    is_stopped: bool,
    /// What was told of lanes that are not known yet, until they are.
    early: Option<HashMap<WebhookOutSubId, Early>>,
}

/// What can be told of a lane while the store still lists them.
#[derive(Debug, Default)]
struct Early {
    is_offered: bool,
    is_closed: bool,
    withdrawn: Vec<WebhookJobId>,
}

/// A question to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) lane: WebhookOutSubId,
    pub(crate) wanted: Wanted,
}

/// What the store answered.
#[derive(Debug)]
pub(crate) enum Claimed {
    DueJobs(DueJobs),
    OldestJob(Option<ReadyJob>),
    Failed,
}

/// What is to be done now.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) starts: Vec<Start>,
    pub(crate) claims: Vec<Claim>,
}

impl Dispatch {
    pub(crate) fn new(in_flight_max: usize, retry: RetryPolicy, seed: u64) -> Dispatch {
        let chance = StdRng::seed_from_u64(seed);
        Dispatch {
            lanes: HashMap::new(),
            slots: Slots::new(in_flight_max),
            memory: Memory::default(),
            rules: Rules { retry, chance },
            claims: VecDeque::new(),
            claims_under_way: 0,
            alarms: BTreeSet::new(),
            unrecorded: 0,
            is_stopped: false,
            early: Some(HashMap::new()),
        }
    }

    /// Takes over the lanes that the store listed. What it told meanwhile is newer than the list.
    pub(crate) fn adopt(&mut self, lanes: Vec<store::Lane>, now: Moment) {
        let mut early = self.early.take().unwrap_or_default();
        for lane in lanes {
            let id = lane.sub.id;
            let told = early.remove(&id).unwrap_or_default();
            if told.is_closed {
                continue;
            }
            let adopted = self.lanes.entry(id).or_insert_with(|| Lane::new(lane));
            if told.is_offered {
                adopted.backlog.fall_behind();
            }
            for job in told.withdrawn {
                adopted.backlog.withdraw(job, &mut self.memory, now);
            }
            self.consider(id, now);
        }
    }

    pub(crate) fn ready(&mut self, jobs: Vec<ReadyJob>, now: Moment) {
        for job in jobs {
            let id = job.webhook_out_sub_id;
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.offer(job, &mut self.memory, now);
                self.consider(id, now);
            } else if let Some(early) = self.early(id) {
                early.is_offered = true;
            }
        }
    }

    /// The store has a job of the lane that is not offered; whether the lane looks for it by itself.
    pub(crate) fn will_look(&mut self, id: WebhookOutSubId) -> bool {
        let lane = self.lanes.get_mut(&id);
        lane.is_some_and(|lane| lane.backlog.will_look())
    }

    pub(crate) fn changed(&mut self, lane: store::Lane, now: Moment) {
        let id = lane.sub.id;
        match self.lanes.get_mut(&id) {
            Some(known) => known.change(lane, &mut self.memory),
            None => {
                let mut new = Lane::new(lane);
                for job in self.known_by_change(id) {
                    new.backlog.withdraw(job, &mut self.memory, now);
                }
                self.lanes.insert(id, new);
            }
        }
        self.consider(id, now);
    }

    pub(crate) fn closed(&mut self, id: WebhookOutSubId, now: Moment) {
        if let Some(lane) = self.lanes.get_mut(&id) {
            lane.close(&mut self.memory);
            self.consider(id, now);
        }
        if let Some(early) = self.early(id) {
            early.is_closed = true;
        }
    }

    pub(crate) fn withdraw(
        &mut self,
        lane: WebhookOutSubId,
        job: WebhookJobId,
        now: Moment,
    ) -> Withdrawal {
        let Some(known) = self.lanes.get_mut(&lane) else {
            // A claim of the lane to be may read before the withdrawal is committed.
            if let Some(early) = self.early(lane) {
                early.withdrawn.push(job);
            }
            return Withdrawal::Withdrawn;
        };
        let withdrawal = known.backlog.withdraw(job, &mut self.memory, now);
        self.consider(lane, now);
        withdrawal
    }

    /// An attempt has ended: its slot is free, and its outcome is to be recorded.
    pub(crate) fn ended(&mut self, start: &Start, judged: Judged, now: Moment) -> Option<Outcome> {
        self.slots.release(start.trust);
        let id = start.sub.id;
        // A lane stays until the last of its jobs is recorded.
        let lane = self.lanes.get_mut(&id)?;
        let outcome = lane.settle(start, judged, &mut self.rules, &mut self.memory, now);
        self.unrecorded += 1;
        self.consider(id, now);
        Some(outcome)
    }

    /// Outcomes are committed.
    pub(crate) fn recorded(&mut self, outcomes: &[Outcome], now: Moment) {
        self.unrecorded -= outcomes.len();
        for outcome in outcomes {
            let retry_at = match outcome.next {
                NextStep::Retry { at, .. } => Some(at),
                NextStep::Delivered | NextStep::Exhausted => None,
            };
            let id = outcome.webhook_out_sub_id;
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.recorded(outcome.job_id, retry_at);
                self.consider(id, now);
            }
        }
    }

    /// A claim has ended.
    pub(crate) fn claimed(&mut self, id: WebhookOutSubId, claimed: Claimed, now: Moment) {
        self.claims_under_way -= 1;
        if let Some(lane) = self.lanes.get_mut(&id) {
            let memory = &mut self.memory;
            match claimed {
                Claimed::DueJobs(due) => lane.take_due_jobs(due, memory, now),
                Claimed::OldestJob(oldest) => lane.take_oldest_job(oldest, memory, now),
                Claimed::Failed => lane.backlog.claim_failed(memory, now),
            }
            self.consider(id, now);
        }
    }

    /// Wakes the lanes whose moment has come.
    pub(crate) fn wake(&mut self, now: Moment) {
        while let Some((at, id)) = self.alarms.first().copied()
            && at <= now
        {
            self.alarms.pop_first();
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.alarm_at = None;
                if lane.backlog.wake_at().is_some_and(|at| at <= now) {
                    lane.backlog.wake();
                }
                self.consider(id, now);
            }
        }
    }

    /// The wall clock was set by so many microseconds: every lane asks the store anew when its jobs are due.
    pub(crate) fn clock_set(&mut self, microseconds: i64, now: Moment) {
        let ids: Vec<WebhookOutSubId> = self.lanes.keys().copied().collect();
        for id in ids {
            if let Some(lane) = self.lanes.get_mut(&id) {
                lane.health.clock_set(microseconds);
                lane.backlog.wake();
            }
            self.consider(id, now);
        }
    }

    /// When the first lane wakes.
    pub(crate) fn next_alarm(&self) -> Option<Moment> {
        self.alarms.first().map(|(at, _)| *at)
    }

    /// Whether a lane is there, be it closed with jobs on their way.
    pub(crate) fn knows(&self, id: WebhookOutSubId) -> bool {
        self.lanes.contains_key(&id)
    }

    /// Starts nothing from now on.
    pub(crate) fn stop(&mut self) {
        self.is_stopped = true;
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// What is to be done now. Whatever it names counts as begun.
    pub(crate) fn work(&mut self, now: Moment) -> Work {
        let mut work = Work::default();
        while let Some(start) = self.next_start(now) {
            work.starts.push(start);
        }
        while let Some(claim) = self.next_claim(now) {
            work.claims.push(claim);
        }
        work
    }

    /// The next job to be sent, if there is one and a slot for it.
    pub(crate) fn next_start(&mut self, now: Moment) -> Option<Start> {
        while !self.is_stopped {
            let (id, place) = self.slots.next()?;
            let Some(lane) = self.lanes.get_mut(&id) else {
                continue;
            };
            lane.lined_up.leave(place);
            // Much may have changed since it lined up.
            let start = if lane.can_start(now) && lane.place(now) == place {
                lane.start(place.trust, &mut self.memory, now)
            } else {
                None
            };
            if start.is_some() {
                self.slots.take(place.trust);
            }
            self.consider(id, now);
            if start.is_some() {
                return start;
            }
        }
        None
    }

    fn next_claim(&mut self, now: Moment) -> Option<Claim> {
        while !self.is_stopped && self.claims_under_way < CLAIMS_AT_ONCE_MAX {
            let id = self.claims.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&id) else {
                continue;
            };
            lane.is_claim_lined_up = false;
            if lane.wants_claim(&mut self.memory, now) {
                self.claims_under_way += 1;
                let wanted = lane.begin_claim(&mut self.memory, now);
                return Some(Claim { lane: id, wanted });
            }
        }
        None
    }

    /// Lines a lane up for what it may do, sets its alarm, and drops it if it is done with.
    fn consider(&mut self, id: WebhookOutSubId, now: Moment) {
        let Some(lane) = self.lanes.get_mut(&id) else {
            return;
        };
        if lane.can_start(now) {
            let place = lane.place(now);
            self.slots.line_up(id, place, &mut lane.lined_up);
        }
        if !lane.is_claim_lined_up && lane.wants_claim(&mut self.memory, now) {
            lane.is_claim_lined_up = true;
            self.claims.push_back(id);
        }
        let is_spent = lane.is_spent();
        let wake_at = lane.wake_at(now).filter(|_| !is_spent);
        if lane.alarm_at != wake_at {
            if let Some(at) = lane.alarm_at {
                self.alarms.remove(&(at, id));
            }
            lane.alarm_at = wake_at;
            self.alarms.extend(wake_at.map(|at| (at, id)));
        }
        if is_spent {
            self.lanes.remove(&id);
        }
    }

    /// A lane that the store may still list is known already; returns what was withdrawn from it.
    fn known_by_change(&mut self, id: WebhookOutSubId) -> Vec<WebhookJobId> {
        let early = self.early(id).map(|early| {
            early.is_offered = true;
            std::mem::take(&mut early.withdrawn)
        });
        early.unwrap_or_default()
    }

    /// Where to note what is told of a lane that is not known yet.
    fn early(&mut self, id: WebhookOutSubId) -> Option<&mut Early> {
        Some(self.early.as_mut()?.entry(id).or_default())
    }

    pub(crate) fn delivering(&self) -> Vec<WebhookJobId> {
        let lanes = self.lanes.values().filter(|lane| lane.in_flight > 0);
        lanes.flat_map(|lane| lane.backlog.in_flight()).collect()
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = Stats {
            in_flight: self.slots.taken(),
            queued: self.memory.jobs(),
            queued_bytes: self.memory.bytes(),
            unrecorded: self.unrecorded,
            ..Stats::default()
        };
        for lane in self.lanes.values() {
            stats.count(lane.health.state());
        }
        stats
    }
}

#[cfg(test)]
mod tests;
