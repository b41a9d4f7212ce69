//! What happens next: drawn by chance among all that could, step by step, and then the end of the story.

use std::time::Duration;

use domain::id::{WebhookJobId, WebhookOutSubId};
use rand::RngExt;

use super::hands;
use super::ledger::Checked;
use super::receiver::{Mood, Reply};
use super::work::{Change, Work};
use super::world::World;
use super::writer::{Recording, Writer};

/// Steps that the end of a story takes at most; the longest ever seen is a tenth of it.
const STEPS_TO_END_MAX: usize = 20_000;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The store is asked for these.
    Asks(Vec<Work>),
    /// A receiver changes its mood.
    Turns(WebhookOutSubId, Mood),
    /// The writer does a piece of work.
    Writes,
    Commits,
    CommitFails,
    /// The writer tells the lanes something.
    Tells,
    /// An attempt ends.
    Ends(WebhookJobId, Reply),
    /// A reader takes its snapshot.
    Reads(usize),
    ClaimAnswers(usize),
    ClaimFails(usize),
    TakesOutcomes(usize),
    TellsRecorded,
    Passes(Duration),
    /// The alarm goes off, so much too late.
    Wakes(Duration),
    /// The clock is set forward by so many seconds, or back.
    SetsClock(i64),
    /// The engine takes its lanes over.
    Adopts,
    Stops,
    /// The process that was stopped has ended.
    Restarts,
    Crashes,
}

impl World {
    /// Draws the next step.
    pub(super) fn draw(&mut self) -> Step {
        let weights = self.climate.weights();
        let all = weights.iter().sum();
        loop {
            let mut drawn = self.chance.random_range(0..all);
            let kind = weights.iter().position(|weight| {
                let is_it = drawn < *weight;
                drawn = drawn.saturating_sub(*weight);
                is_it
            });
            let step = match kind {
                Some(0) => hands::draw(self),
                Some(1) => self.draw_mood(),
                Some(2) => self.draw_write(),
                Some(3) => self.draw_end(),
                Some(4) => self.draw_claim(),
                Some(5) => self.draw_record(),
                Some(6) => Some(self.draw_time()),
                Some(7) => self.draw_trouble(),
                _ => self.listed.is_some().then_some(Step::Adopts),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    fn draw_mood(&mut self) -> Option<Step> {
        let sub = hands::any_sub(self)?;
        Some(Step::Turns(sub, Mood::draw(&mut self.chance)))
    }

    fn draw_write(&mut self) -> Option<Step> {
        let fails = self.fails();
        match &self.writer {
            Writer::Telling { .. } => Some(Step::Tells),
            Writer::Open(_) if fails => Some(Step::CommitFails),
            Writer::Open(_) if self.works.is_empty() || self.chance.random_bool(0.5) => {
                Some(Step::Commits)
            }
            Writer::Open(_) => Some(Step::Writes),
            Writer::Idle => (!self.works.is_empty()).then_some(Step::Writes),
        }
    }

    fn draw_end(&mut self) -> Option<Step> {
        let index = self.draw_index(self.in_flight.len())?;
        let job = &self.in_flight[index].start.job;
        let (id, order) = (job.id, job.order_id);
        let mood = self.moods.entry(job.webhook_out_sub_id).or_insert_with(|| {
            let is_moody = self.chance.random_bool(self.climate.moody);
            if is_moody {
                Mood::draw(&mut self.chance)
            } else {
                Mood::Healthy
            }
        });
        Some(Step::Ends(id, mood.reply(order, &mut self.chance)))
    }

    fn draw_claim(&mut self) -> Option<Step> {
        let index = self.draw_index(self.claims.len())?;
        let fails = self.fails();
        Some(match &self.claims[index].snapshot {
            _ if fails => Step::ClaimFails(index),
            None => Step::Reads(index),
            Some(_) => Step::ClaimAnswers(index),
        })
    }

    fn draw_record(&mut self) -> Option<Step> {
        match &self.recording {
            Recording::Committed(_) => Some(Step::TellsRecorded),
            Recording::HandedIn(_) => None,
            Recording::Nothing => {
                let count = self.draw_index(self.outcomes.len())? + 1;
                Some(Step::TakesOutcomes(count))
            }
        }
    }

    fn draw_time(&mut self) -> Step {
        if self.chance.random_bool(0.5) {
            let milliseconds = [0, 0, 3, 500][self.chance.random_range(0..4)];
            Step::Wakes(Duration::from_millis(milliseconds))
        } else {
            let milliseconds = self.chance.random_range(0..2_000);
            Step::Passes(Duration::from_millis(milliseconds))
        }
    }

    fn draw_trouble(&mut self) -> Option<Step> {
        const HOUR: i64 = 3_600;
        match self.chance.random_range(0..20) {
            0 => Some(Step::Crashes),
            1 => Some(Step::SetsClock(HOUR)),
            2 => Some(Step::SetsClock(-HOUR)),
            3 => Some(Step::SetsClock(30 * 24 * HOUR)),
            4 => Some(Step::SetsClock(4 * 24 * HOUR)),
            5 | 6 if self.dispatch.is_stopped() => Some(Step::Restarts),
            5 => Some(Step::Stops),
            _ => None,
        }
    }

    fn fails(&mut self) -> bool {
        self.chance.random_bool(self.climate.failing)
    }

    fn draw_index(&mut self, len: usize) -> Option<usize> {
        (len > 0).then(|| self.chance.random_range(0..len))
    }

    /// Lets a step happen.
    pub(super) fn take(&mut self, step: Step) -> Checked {
        match step {
            Step::Asks(works) => {
                self.works.extend(works);
                Ok(())
            }
            Step::Turns(sub, mood) => {
                self.moods.insert(sub, mood);
                Ok(())
            }
            Step::Writes => self.write(),
            Step::Commits => self.commit(),
            Step::CommitFails => self.fail(),
            Step::Tells => self.tell_next(),
            Step::Ends(job, reply) => self.end(job, reply),
            Step::Reads(index) => self.read(index),
            Step::ClaimAnswers(index) => self.answer(index),
            Step::ClaimFails(index) => {
                self.claims[index].snapshot = None;
                self.answer(index)
            }
            Step::TakesOutcomes(count) => self.take_outcomes(count),
            Step::TellsRecorded => self.tell_recorded(),
            Step::Passes(time) => self.pass(time),
            Step::Wakes(late) => self.wake(late),
            Step::SetsClock(seconds) => {
                let change = Duration::from_secs(seconds.unsigned_abs());
                let forward = seconds > 0;
                self.set_clock(if forward {
                    self.now + change
                } else {
                    self.now - change
                })
            }
            Step::Adopts => self.adopt(),
            Step::Stops => self.update(|dispatch, _| dispatch.stop()),
            Step::Restarts => self.end_stopped(),
            Step::Crashes => self.crash(),
        }?;
        self.check()
    }

    /// What a stopped process had under way is cut off, and all outcomes are recorded before it ends.
    fn end_stopped(&mut self) -> Checked {
        let is_recorded = self.outcomes.is_empty() && matches!(self.recording, Recording::Nothing);
        let is_written = self.works.is_empty() && matches!(self.writer, Writer::Idle);
        if is_recorded && is_written {
            self.restart()?;
        }
        Ok(())
    }

    /// All receivers are well and all subscriptions on; the rest of the story tells itself, and every job ends.
    pub(super) fn end_story(&mut self, note: &mut impl FnMut(&Step)) -> Checked {
        if self.dispatch.is_stopped() {
            self.crash()?;
        }
        self.moods.clear();
        self.climate.moody = 0.0;
        self.climate.failing = 0.0;
        for _ in 0..STEPS_TO_END_MAX {
            let Some(step) = self.next_of_end() else {
                return self.check_end();
            };
            note(&step);
            self.take(step)?;
        }
        let alarm = self.dispatch.next_alarm();
        Err(format!(
            "at {} the story does not end; next alarm {alarm:?}",
            self.now
        ))
    }

    fn next_of_end(&mut self) -> Option<Step> {
        if self.listed.is_some() {
            return Some(Step::Adopts);
        }
        if self.is_quiet() {
            let mut subs = self.store.subs.values();
            let off = subs.find(|sub| !sub.sub.active && !sub.is_deleted);
            if let Some(off) = off {
                let work = Work::Update(off.sub.id, Change::Active(true), self.now);
                return Some(Step::Asks(vec![work]));
            }
            return self
                .dispatch
                .next_alarm()
                .map(|_| Step::Wakes(Duration::ZERO));
        }
        loop {
            let step = match self.chance.random_range(0..4) {
                0 => self.draw_write(),
                1 => self.draw_end(),
                2 => self.draw_claim(),
                _ => self.draw_record(),
            };
            if step.is_some() {
                return step;
            }
        }
    }

    fn check_end(&self) -> Checked {
        // What a failed commit left of a deleted subscription is canceled by the next start.
        let subs = self.store.subs.values().filter(|sub| !sub.is_deleted);
        let waiting = subs.flat_map(|sub| self.store.waiting(sub.sub.id)).next();
        if let Some(job) = waiting {
            return Err(format!("nobody will ever send {job:?}"));
        }
        let stats = self.dispatch.stats();
        let left = [
            stats.in_flight,
            stats.queued,
            stats.queued_bytes,
            stats.unrecorded,
        ];
        if left != [0; 4] {
            return Err(format!("memory is not empty at the end: {stats:?}"));
        }
        Ok(())
    }
}
