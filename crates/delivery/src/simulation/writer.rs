//! The store's writer, and the recorder that gives it outcomes.

use std::collections::VecDeque;
use std::sync::Arc;

use domain::id::WebhookOutSubId;
use store::{Lane, Outcome, ReadyJob};

use super::ledger::Checked;
use super::mutation::Mutation;
use super::transaction::{Effect, Transaction};
use super::work::Work;
use super::world::World;
use crate::dispatch;

/// The store's writer, which does one transaction after another.
pub(super) enum Writer {
    Idle,
    Open(Box<Transaction>),
    Telling {
        tells: VecDeque<Tell>,
        recorded: bool,
    },
}

/// What the lanes are told at once.
pub(super) enum Tell {
    Ready(Vec<ReadyJob>),
    Changed(Lane),
    Closed(WebhookOutSubId),
}

/// The recorder, which has one batch at a time.
pub(super) enum Recording {
    Nothing,
    HandedIn(Arc<[Outcome]>),
    Committed(Arc<[Outcome]>),
}

impl Writer {
    /// Whether the end of this lane is committed, and about to be told.
    pub(super) fn is_closing(&self, lane: WebhookOutSubId) -> bool {
        let Writer::Telling { tells, .. } = self else {
            return false;
        };
        let mut tells = tells.iter();
        tells.any(|tell| matches!(tell, Tell::Closed(closed) if *closed == lane))
    }
}

impl World {
    /// The writer does the next piece of work, in the open transaction or a new one.
    pub(super) fn write(&mut self) -> Checked {
        let Some(work) = self.works.pop_front() else {
            return Ok(());
        };
        if matches!(self.writer, Writer::Idle) {
            let transaction = Transaction::begin(&self.store, self.mutation);
            self.writer = Writer::Open(Box::new(transaction));
            self.writer_busy_since = self.now;
        }
        let Writer::Open(transaction) = &mut self.writer else {
            return Ok(());
        };
        let (dispatch, now) = (&mut self.dispatch, self.now);
        let mut begun = dispatch::Work::default();
        transaction.run(work, &mut |lane, job| {
            let withdrawal = dispatch.withdraw(lane, job, now);
            let work = dispatch.work(now);
            begun.starts.extend(work.starts);
            begun.claims.extend(work.claims);
            withdrawal
        });
        self.begin(begun)
    }

    /// The transaction is committed: from now on readers see it.
    pub(super) fn commit(&mut self) -> Checked {
        let writer = std::mem::replace(&mut self.writer, Writer::Idle);
        let Writer::Open(mut transaction) = writer else {
            self.writer = writer;
            return Ok(());
        };
        let in_flight = &self.in_flight;
        self.ledger
            .committed(&self.store, &transaction, in_flight)?;
        let mut recorded = false;
        for work in &transaction.done {
            match work {
                Work::Delete(_) => self.works.push_back(Work::CancelLeftovers),
                Work::Record(outcomes) => recorded |= self.is_own(outcomes),
                _ => {}
            }
        }
        let tells = tells(transaction.told());
        self.store = transaction.draft;
        self.writer = Writer::Telling { tells, recorded };
        Ok(())
    }

    /// The transaction fails. The recorder tries again; everybody else is refused.
    pub(super) fn fail(&mut self) -> Checked {
        let writer = std::mem::replace(&mut self.writer, Writer::Idle);
        if let Writer::Open(transaction) = writer {
            for work in transaction.done {
                if matches!(&work, Work::Record(outcomes) if self.is_own(outcomes)) {
                    if self.is(Mutation::ForgetsOutcomes) {
                        self.end_recording();
                    } else {
                        self.works.push_back(work);
                    }
                }
            }
        }
        Ok(())
    }

    fn is_own(&self, outcomes: &[Outcome]) -> bool {
        let mut outcomes = outcomes.iter();
        outcomes.all(|outcome| outcome.fence.0 == self.store.fence)
    }

    /// The writer tells the lanes the next thing.
    pub(super) fn tell_next(&mut self) -> Checked {
        let Writer::Telling { tells, recorded } = &mut self.writer else {
            return Ok(());
        };
        let Some(tell) = tells.pop_front() else {
            if std::mem::take(recorded) {
                self.end_recording();
            }
            self.writer = Writer::Idle;
            return Ok(());
        };
        match tell {
            Tell::Ready(jobs) => {
                self.ledger.offered(&jobs);
                self.update(|dispatch, now| dispatch.ready(jobs, now))
            }
            Tell::Changed(lane) => {
                self.ledger.told(lane.sub.clone());
                let lane = self.mutated(lane);
                self.update(|dispatch, now| dispatch.changed(lane, now))
            }
            Tell::Closed(id) => {
                self.ledger.closed(id);
                self.update(|dispatch, now| dispatch.closed(id, now))
            }
        }
    }

    /// A lane as a broken store tells it.
    pub(super) fn mutated(&self, mut lane: Lane) -> Lane {
        let mut sub = (*lane.sub).clone();
        if self.is(Mutation::DoublesRate)
            && let Some(limit) = &mut sub.rate_limit
        {
            limit.per_second *= 2.0;
        }
        if self.is(Mutation::DoublesInFlight) {
            sub.max_in_flight = sub.max_in_flight.map(|max| max * 2);
        }
        lane.sub = Arc::new(sub);
        lane
    }

    /// The recorder takes outcomes that wait.
    pub(super) fn take_outcomes(&mut self, count: usize) -> Checked {
        if !matches!(self.recording, Recording::Nothing) || self.outcomes.is_empty() {
            return Ok(());
        }
        let count = count.clamp(1, self.outcomes.len());
        let batch: Arc<[Outcome]> = self.outcomes.drain(..count).collect();
        self.works.push_back(Work::Record(batch.clone()));
        self.recording = Recording::HandedIn(batch.clone());
        if self.is(Mutation::RecordsTooSoon) {
            return self.update(|dispatch, now| dispatch.recorded(&batch, now));
        }
        Ok(())
    }

    fn end_recording(&mut self) {
        let recording = std::mem::replace(&mut self.recording, Recording::Nothing);
        if let Recording::HandedIn(batch) = recording
            && !self.is(Mutation::RecordsTooSoon)
        {
            self.recording = Recording::Committed(batch);
        }
    }

    /// The recorder tells the engine that its batch is committed.
    pub(super) fn tell_recorded(&mut self) -> Checked {
        let recording = std::mem::replace(&mut self.recording, Recording::Nothing);
        let Recording::Committed(batch) = recording else {
            self.recording = recording;
            return Ok(());
        };
        self.update(|dispatch, now| dispatch.recorded(&batch, now))
    }
}

fn tells(effects: Vec<Effect>) -> VecDeque<Tell> {
    let mut tells = VecDeque::new();
    for effect in effects {
        match effect {
            Effect::Ready(job) => match tells.back_mut() {
                Some(Tell::Ready(jobs)) => jobs.push(job),
                _ => tells.push_back(Tell::Ready(vec![job])),
            },
            Effect::Changed(lane) => tells.push_back(Tell::Changed(lane)),
            Effect::Closed(id) => tells.push_back(Tell::Closed(id)),
        }
    }
    tells
}
