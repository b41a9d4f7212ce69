//! The world around the engine: the store's writer, its readers, the recorder, the alarm, the wire.
//!
//! Each method is one thing that happens at one moment. They do what the tasks around `Dispatch` do, with the same
//! gaps between what is begun, committed and told; which comes next is decided by the schedule.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::retry::RetryPolicy;
use domain::time::Moment;
use rand::RngExt;
use rand::rngs::StdRng;
use store::{Lane, Outcome};

use super::climate::Climate;
use super::ledger::{Checked, Ledger};
use super::model::{BIG_PAYLOAD_BYTES, Store};
use super::mutation::Mutation;
use super::receiver::{Mood, Reply};
use super::work::Work;
use super::writer::{Recording, Writer};
use crate::dispatch::{self, Claim, Claimed, Dispatch};
use crate::fixtures::NOW;
use crate::lane::{Start, Wanted};
use crate::memory::MEMORY_BYTES_MAX;

const SLEEP_MAX: Duration = Duration::from_secs(11);

pub(super) struct World {
    pub(super) chance: StdRng,
    pub(super) climate: Climate,
    pub(super) now: Moment,
    /// The latest moment that the clock has shown.
    latest: Moment,
    /// What is committed.
    pub(super) store: Store,
    pub(super) ledger: Ledger,
    pub(super) dispatch: Dispatch,
    /// What waits for the store's writer.
    pub(super) works: VecDeque<Work>,
    pub(super) writer: Writer,
    pub(super) writer_busy_since: Moment,
    pub(super) in_flight: Vec<Attempt>,
    pub(super) claims: Vec<Asked>,
    /// What waits for the recorder.
    pub(super) outcomes: VecDeque<Outcome>,
    pub(super) recording: Recording,
    pub(super) moods: BTreeMap<WebhookOutSubId, Mood>,
    /// The lanes that the store listed, until the engine has taken them over.
    pub(super) listed: Option<Vec<Lane>>,
    pub(super) mutation: Option<Mutation>,
    in_flight_max: usize,
}

pub(super) struct Attempt {
    pub(super) start: Start,
    started_at: Moment,
}

/// A claim under way, with the snapshot that it was answered from.
pub(super) struct Asked {
    claim: Claim,
    pub(super) snapshot: Option<Claimed>,
}

impl World {
    pub(super) fn new(mut chance: StdRng, mutation: Option<Mutation>) -> World {
        let in_flight_max = [1, 2, 3, 6, 12, 40][chance.random_range(0..6)];
        World {
            climate: Climate::draw(&mut chance),
            now: NOW,
            latest: NOW,
            store: Store::default(),
            ledger: Ledger::new(in_flight_max),
            dispatch: Dispatch::new(in_flight_max, RetryPolicy::default(), chance.random()),
            works: VecDeque::new(),
            writer: Writer::Idle,
            writer_busy_since: NOW,
            in_flight: Vec::new(),
            claims: Vec::new(),
            outcomes: VecDeque::new(),
            recording: Recording::Nothing,
            moods: BTreeMap::new(),
            listed: Some(Vec::new()),
            mutation,
            in_flight_max,
            chance,
        }
    }

    pub(super) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// Tells the engine something, and does what follows.
    pub(super) fn update(&mut self, tell: impl FnOnce(&mut Dispatch, Moment)) -> Checked {
        tell(&mut self.dispatch, self.now);
        let work = self.dispatch.work(self.now);
        self.begin(work)
    }

    pub(super) fn begin(&mut self, work: dispatch::Work) -> Checked {
        if self.dispatch.is_stopped() && !(work.starts.is_empty() && work.claims.is_empty()) {
            return Err("something begins after the stop".to_owned());
        }
        for start in work.starts {
            let is_closing = self.writer.is_closing(start.sub.id);
            let (store, in_flight) = (&self.store, &self.in_flight);
            self.ledger
                .started(&start, store, in_flight, is_closing, self.now)?;
            self.in_flight.push(Attempt {
                start,
                started_at: self.now,
            });
        }
        let claims = work.claims.into_iter();
        self.claims.extend(claims.map(|claim| Asked {
            claim,
            snapshot: None,
        }));
        Ok(())
    }

    /// An attempt ends with this reply.
    pub(super) fn end(&mut self, id: WebhookJobId, reply: Reply) -> Checked {
        let mut attempts = self.in_flight.iter();
        let index = attempts.position(|attempt| attempt.start.job.id == id);
        let attempt = self
            .in_flight
            .swap_remove(index.ok_or("it is not in flight")?);
        let start = &attempt.start;
        let mut judged = reply.judged(start, attempt.started_at, self.now);
        if self.is(Mutation::HalvesRetryAfter) {
            judged.retry_after = judged.retry_after.map(|asked| asked / 2);
        }
        let outcome = self.dispatch.ended(start, judged, self.now);
        let outcome = outcome.ok_or("an outcome has no lane")?;
        self.ledger.ended(start, reply, &outcome, self.now)?;
        self.outcomes.push_back(outcome);
        self.update(|_, _| ())
    }

    /// A reader sees what is committed at this moment.
    pub(super) fn read(&mut self, index: usize) -> Checked {
        let (store, now) = (&self.store, self.now);
        let asked = &mut self.claims[index];
        let lane = asked.claim.lane;
        let mut snapshot = match asked.claim.wanted {
            Wanted::DueJobs(limit) => Claimed::DueJobs(store.due_jobs(lane, now, limit)),
            Wanted::OldestJob => Claimed::OldestJob(store.oldest_job(lane)),
        };
        if self.mutation == Some(Mutation::ClaimsHeldJobs)
            && let Claimed::DueJobs(due) = &mut snapshot
        {
            let held = store.waiting(lane).filter(|job| job.is_held());
            due.jobs.extend(held.map(super::model::Job::ready));
        }
        asked.snapshot = Some(snapshot);
        Ok(())
    }

    /// A claim is answered; without a snapshot it fails.
    pub(super) fn answer(&mut self, index: usize) -> Checked {
        if self.is(Mutation::SwapsClaims) && self.claims.len() > 1 {
            let other = (index + 1) % self.claims.len();
            let lane = self.claims[other].claim.lane;
            self.claims[other].claim.lane = self.claims[index].claim.lane;
            self.claims[index].claim.lane = lane;
        }
        let Asked { claim, snapshot } = self.claims.swap_remove(index);
        if snapshot.is_none() && self.is(Mutation::LosesFailedClaims) {
            return Ok(());
        }
        let claimed = snapshot.unwrap_or(Claimed::Failed);
        self.update(|dispatch, now| dispatch.claimed(claim.lane, claimed, now))
    }

    /// The engine takes over the lanes that were listed when it started.
    pub(super) fn adopt(&mut self) -> Checked {
        let Some(lanes) = self.listed.take() else {
            return Ok(());
        };
        for lane in &lanes {
            self.ledger.adopted(lane.sub.clone());
        }
        let lanes = lanes.into_iter().map(|lane| self.mutated(lane)).collect();
        self.update(|dispatch, now| dispatch.adopt(lanes, now))
    }

    /// The process is killed, and another one starts. What was in flight may have arrived or not; an outcome
    /// on its way to the store may still get there.
    pub(super) fn crash(&mut self) -> Checked {
        let mut late: Vec<Work> = Vec::new();
        if self.chance.random_bool(0.5) {
            let works = self.works.drain(..);
            late.extend(works.filter(|work| matches!(work, Work::Record(_))));
        }
        if self.is(Mutation::LosesJob) {
            self.store.jobs.pop();
        }
        self.works = late.into();
        self.restart()
    }

    /// A process starts on what is committed.
    pub(super) fn restart(&mut self) -> Checked {
        self.writer = Writer::Idle;
        self.in_flight.clear();
        self.claims.clear();
        self.outcomes.clear();
        self.recording = Recording::Nothing;
        self.store.fence += 1;
        self.store.cancel_leftovers();
        self.ledger.restarted(&self.store)?;
        let seed = self.chance.random();
        self.dispatch = Dispatch::new(self.in_flight_max, RetryPolicy::default(), seed);
        self.listed = Some(self.store.lanes());
        Ok(())
    }

    /// Whether nothing can happen before time passes.
    pub(super) fn is_quiet(&self) -> bool {
        self.works.is_empty()
            && matches!(self.writer, Writer::Idle)
            && self.in_flight.is_empty()
            && self.claims.is_empty()
            && self.outcomes.is_empty()
            && matches!(self.recording, Recording::Nothing)
            && self.listed.is_none()
    }

    /// What must hold at any moment.
    pub(super) fn check(&mut self) -> Checked {
        self.latest = self.latest.max(self.now);
        let stats = self.dispatch.stats();
        // One may pass the bound, and beyond it each lane has as many as it may send at once.
        let beyond = 1 + self.ledger.widest();
        if stats.queued_bytes >= MEMORY_BYTES_MAX + beyond * BIG_PAYLOAD_BYTES {
            return Err(format!("{} bytes are queued", stats.queued_bytes));
        }
        // A clock that is set back may widen a window, and tells nobody.
        let is_told = self.now >= self.latest && !self.dispatch.is_stopped();
        if stats.queued > 0 && self.claims.is_empty() && is_told {
            self.ledger.check_queued(&self.in_flight, self.now)?;
        }
        if stats.in_flight != self.in_flight.len() {
            return Err(format!("{} slots are taken", stats.in_flight));
        }
        let mut delivering = self.dispatch.delivering();
        let attempts = self.in_flight.iter();
        let mut sent: Vec<WebhookJobId> = attempts.map(|attempt| attempt.start.job.id).collect();
        delivering.sort_unstable();
        sent.sort_unstable();
        if delivering != sent {
            return Err(format!("{delivering:?} are said to be in flight"));
        }
        self.check_sleep()
    }

    /// While nothing is under way, no lane that could send sleeps for longer than a withdrawal, a failed claim
    /// or the slowest rate asks for.
    fn check_sleep(&self) -> Checked {
        let alarm = self.dispatch.next_alarm();
        let is_soon = alarm.is_some_and(|at| at <= self.now + SLEEP_MAX);
        if is_soon || !self.is_quiet() || self.dispatch.is_stopped() || self.now < self.latest {
            return Ok(());
        }
        let due = self.ledger.due(&self.store, self.now);
        due.map_or(Ok(()), |job| {
            Err(format!(
                "job {job} is due, and nobody wakes before {alarm:?}"
            ))
        })
    }
}
