//! What must hold, checked at each start, each end and each commit.
//!
//! Knows what receivers answered and what was committed, and judges the engine by that alone.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use domain::health::HealthState;
use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_out_sub::{Ordering, WebhookOutSub};
use store::ReadyJob;

use super::model::{Job, Store};
use super::shadow::Shadow;
use super::world::Attempt;
use crate::lane::Start;
use crate::slots::Trust;

pub(super) type Checked = Result<(), String>;

#[derive(Default)]
pub(super) struct Ledger {
    pub(super) in_flight_max: usize,
    /// The lanes as the engine knows them.
    pub(super) shadows: BTreeMap<WebhookOutSubId, Shadow>,
    /// Closed before the engine knew the lane.
    pub(super) closed: HashSet<WebhookOutSubId>,
    /// Judged as delivered by this process, or recorded as such.
    pub(super) succeeded: HashSet<WebhookJobId>,
    /// Given up by the engine.
    pub(super) given_up: HashSet<WebhookJobId>,
    /// Which attempts of a job were refused by the receiver itself, so far as is committed.
    pub(super) refusals: HashMap<WebhookJobId, HashSet<u32>>,
    /// Before when a job must not be attempted.
    pub(super) not_before: HashMap<WebhookJobId, Moment>,
    /// When a job was first sent, and how long its lane had rested by then.
    pub(super) first_sent: HashMap<WebhookJobId, (Moment, Duration)>,
    pub(super) jobs: usize,
    pub(super) was_set_back: bool,
    pub(super) was_restarted: bool,
}

impl Ledger {
    pub(super) fn new(in_flight_max: usize) -> Ledger {
        Ledger {
            in_flight_max,
            ..Ledger::default()
        }
    }

    /// The engine is told of a lane.
    pub(super) fn told(&mut self, sub: Arc<WebhookOutSub>) {
        match self.shadows.get_mut(&sub.id) {
            Some(shadow) => shadow.changed(sub),
            None => {
                let mut shadow = Shadow::new(sub.clone());
                shadow.is_rest_known = !self.was_restarted;
                self.shadows.insert(sub.id, shadow);
            }
        }
    }

    /// The engine takes over a lane, unless it was told of it already.
    pub(super) fn adopted(&mut self, sub: Arc<WebhookOutSub>) {
        if !self.closed.contains(&sub.id) {
            let shadow = self.shadows.entry(sub.id);
            shadow.or_insert_with(|| Shadow::new(sub));
        }
    }

    /// Jobs may be sent. One that somebody asks for ends a pause.
    pub(super) fn offered(&mut self, jobs: &[ReadyJob]) {
        let asked_for = jobs.iter().filter(|job| job.test || job.attempts > 0);
        for job in asked_for {
            if let Some(shadow) = self.shadows.get_mut(&job.webhook_out_sub_id) {
                shadow.asked_for();
            }
        }
    }

    pub(super) fn closed(&mut self, sub: WebhookOutSubId) {
        self.closed.insert(sub);
        if let Some(shadow) = self.shadows.get_mut(&sub) {
            shadow.is_closed = true;
        }
    }

    /// The process has ended. What it had not recorded may be sent again.
    pub(super) fn restarted(&mut self, store: &Store) -> Checked {
        if store.jobs.len() < self.jobs {
            return Err("an accepted job is lost".to_owned());
        }
        self.was_restarted = true;
        self.shadows.clear();
        self.closed.clear();
        let is_kept = |id: &WebhookJobId| store.job(*id).is_some_and(|job| job.state.is_final());
        self.succeeded.retain(is_kept);
        self.given_up.retain(is_kept);
        Ok(())
    }

    /// Time passes, or the clock is set forward.
    pub(super) fn passed(&mut self, time: Duration) {
        let shadows = self.shadows.values_mut();
        shadows.for_each(|shadow| shadow.passed(time));
    }

    pub(super) fn clock_jumped(&mut self, from: Moment, to: Moment) {
        self.shadows.values_mut().for_each(Shadow::clock_jumped);
        if to < from {
            self.was_set_back = true;
            self.not_before.retain(|_, at| *at > from);
        }
    }

    /// A job is sent. A lane `is_closing` while its end is committed and not told.
    pub(super) fn started(
        &mut self,
        start: &Start,
        store: &Store,
        in_flight: &[Attempt],
        is_closing: bool,
        now: Moment,
    ) -> Checked {
        let id = start.job.id;
        let job = store.job(id).ok_or("a job that was never committed")?;
        let is_whole = job.sub == start.job.webhook_out_sub_id
            && job.order == start.job.order_id
            && job.sequence == start.job.sequence;
        if !is_whole || start.sub.id != job.sub {
            return Err(format!("job {id} of {} went to {}", job.sub, start.sub.id));
        }
        if self.succeeded.contains(&id) {
            return Err(format!("job {id} has succeeded and is sent again"));
        }
        if job.state.is_final() && !is_closing {
            return Err(format!("job {id} is sent though it is {:?}", job.state));
        }
        if job.attempts != start.job.attempts || job.job_faults != start.job.job_faults {
            return Err(format!(
                "job {id} is sent as it was before its last attempt"
            ));
        }
        if start.fence.0 != store.fence {
            return Err(format!("job {id} is sent under a lost ownership"));
        }
        if let Some(at) = self.not_before.get(&id).filter(|at| **at > now) {
            return Err(format!("job {id} is sent before {at}"));
        }
        self.check_order(job, store, in_flight)?;
        self.check_slots(start, in_flight, now)?;
        self.check_lane(start, store, in_flight, now)?;
        let rested = self.shadow(start)?.rested;
        self.first_sent.entry(id).or_insert((now, rested));
        Ok(())
    }

    fn check_order(&self, job: &Job, store: &Store, in_flight: &[Attempt]) -> Checked {
        let id = job.id;
        let earlier = store.waiting(job.sub).take_while(|other| other.id < id);
        for other in earlier {
            if self.must_follow(job, other, store) {
                return Err(format!("job {id} overtakes {}", other.id));
            }
        }
        for attempt in in_flight {
            let Some(other) = store.job(attempt.start.job.id) else {
                continue;
            };
            let (first, second) = if other.id < id {
                (other, job)
            } else {
                (job, other)
            };
            if other.id == id || self.must_follow(second, first, store) {
                return Err(format!("job {id} is in flight together with {}", other.id));
            }
        }
        Ok(())
    }

    /// Whether `job` must not be sent before `earlier` is final: all orderings since it was made say so, and the
    /// receiver has not refused the earlier one three times.
    fn must_follow(&self, job: &Job, earlier: &Job, store: &Store) -> bool {
        let Some(sub) = store.subs.get(&job.sub).filter(|_| job.sub == earlier.sub) else {
            return false;
        };
        let first = sub
            .orderings
            .partition_point(|(set_by, _)| *set_by < job.made_by);
        let mut orderings = sub.orderings.iter().skip(first.saturating_sub(1));
        let refusals = self.refusals.get(&earlier.id).map_or(0, HashSet::len);
        job.ordered
            && earlier.ordered
            && refusals < 3
            && orderings.all(|(_, ordering)| match ordering {
                Ordering::Order => job.order == earlier.order,
                Ordering::Subscription => true,
                Ordering::None => false,
            })
    }

    fn check_slots(&self, start: &Start, in_flight: &[Attempt], now: Moment) -> Checked {
        let shadow = self.shadow(start)?;
        let is_trusted = shadow.is_trusted(now);
        if is_trusted != (start.trust == Trust::Trusted) {
            return Err(format!(
                "job {} is {:?}, wrongly",
                start.job.id, start.trust
            ));
        }
        let is_suspect = !is_trusted && shadow.is_failing();
        if is_suspect != (start.trust == Trust::Suspect) {
            return Err(format!(
                "job {} is {:?}, wrongly",
                start.job.id, start.trust
            ));
        }
        if !is_trusted && !self.has_room_for_unproven(in_flight) {
            return Err(
                "lanes without a recent success hold more than half of the slots".to_owned(),
            );
        }
        if is_suspect && !self.has_room_for_suspects(in_flight) {
            return Err("lanes that fail hold more than a quarter of the slots".to_owned());
        }
        if in_flight.len() >= self.in_flight_max {
            return Err("more requests than there are slots".to_owned());
        }
        Ok(())
    }

    fn has_room_for_unproven(&self, in_flight: &[Attempt]) -> bool {
        let unproven = |other: &&Attempt| other.start.trust != Trust::Trusted;
        in_flight.iter().filter(unproven).count() < (self.in_flight_max / 2).max(1)
    }

    fn has_room_for_suspects(&self, in_flight: &[Attempt]) -> bool {
        let suspects = |other: &&Attempt| other.start.trust == Trust::Suspect;
        in_flight.iter().filter(suspects).count() < (self.in_flight_max / 4).max(1)
    }

    fn check_lane(
        &mut self,
        start: &Start,
        store: &Store,
        in_flight: &[Attempt],
        now: Moment,
    ) -> Checked {
        let lane = start.sub.id;
        let others = in_flight.iter().filter(|other| other.start.sub.id == lane);
        let others = u32::try_from(others.count()).unwrap_or(u32::MAX);
        let job = &start.job;
        let shadow = self.shadows.get_mut(&lane).ok_or("an unknown lane")?;
        if others >= shadow.limit(now) {
            let (limit, state) = (shadow.limit(now), shadow.state);
            return Err(format!(
                "lane {lane} may send {limit}, sends {others} ({state:?})"
            ));
        }
        if shadow.is_paused(now) {
            return Err(format!("lane {lane} sends though it shall wait"));
        }
        let oldest = store.waiting(lane).next().map(|job| job.id);
        let is_asked_for = job.order_id.is_none() || job.attempts > 0;
        if shadow.state == HealthState::Resting && oldest != Some(job.id) && !is_asked_for {
            return Err(format!(
                "lane {lane} probes with {}, not {oldest:?}",
                job.id
            ));
        }
        shadow.sent(now)
    }

    fn shadow(&self, start: &Start) -> Result<&Shadow, String> {
        let shadow = self.shadows.get(&start.sub.id);
        shadow.ok_or_else(|| format!("lane {} is unknown", start.sub.id))
    }

    /// How many requests all lanes together were ever allowed at once.
    pub(super) fn widest(&self) -> usize {
        let lanes = self.shadows.values();
        let widest: u32 = lanes.map(|lane| lane.widest).sum();
        usize::try_from(widest).unwrap_or(usize::MAX)
    }

    /// Jobs are queued, and no claim holds them up: some lane must have a reason to keep them.
    pub(super) fn check_queued(&self, in_flight: &[Attempt], now: Moment) -> Checked {
        if self.shadows.values().all(|lane| lane.limit(now) == 0) {
            return Err("lanes that may not send keep jobs in memory".to_owned());
        }
        let has_slots = in_flight.len() < self.in_flight_max
            && self.has_room_for_unproven(in_flight)
            && self.has_room_for_suspects(in_flight);
        let is_idle = |(id, lane): (&WebhookOutSubId, &Shadow)| {
            let others = in_flight.iter().filter(|other| other.start.sub.id == *id);
            let has_room = others.count() < usize::try_from(lane.limit(now)).unwrap_or(0);
            // Its alarm has yet to end a pause that is over.
            has_room && lane.sub.rate_limit.is_none() && !lane.was_paused()
        };
        if has_slots && self.shadows.iter().all(is_idle) {
            return Err("a queued job is not sent though it could be".to_owned());
        }
        Ok(())
    }

    /// A job that its lane should have sent by now, were there nothing else to do.
    pub(super) fn due(&self, store: &Store, now: Moment) -> Option<WebhookJobId> {
        let is_due = |job: &&Job| job.next_attempt_at.is_some_and(|at| at <= now);
        let sends = |lane: &Shadow| lane.limit(now) > 0 && !lane.is_paused(now);
        let lanes = self.shadows.iter().filter(|(_, lane)| sends(lane));
        let mut due = lanes.filter_map(|(id, lane)| match lane.state {
            HealthState::Resting => store.waiting(*id).next().filter(is_due),
            _ => store.waiting(*id).find(is_due),
        });
        due.next().map(|job| job.id)
    }
}
