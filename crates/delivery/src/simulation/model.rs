//! The store as a plain table: what is kept, and the questions that lanes ask.
//!
//! Naive on purpose: every question looks at every job, so that it is seen to be right. It says what the
//! stores must do about order, and nothing of how they do it fast.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_id::WebhookId;
use domain::webhook_out_sub::{Ordering, WebhookOutSub};
use store::{DueJobs, Fence, Lane, ReadyJob};

use crate::fixtures::lane_of;
use crate::memory::MEMORY_BYTES_MAX;

/// Eight of the big payloads fill the memory of all lanes, so that few jobs are enough to see what happens then.
pub(super) const BIG_PAYLOAD_BYTES: usize = MEMORY_BYTES_MAX / 8;

/// Never touched, so that it takes no memory; all big payloads share it.
static BIG_PAYLOAD: LazyLock<Bytes> = LazyLock::new(|| vec![0; BIG_PAYLOAD_BYTES].into());

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Retrying,
    Delivered,
    Exhausted,
    Canceled,
    Superseded,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Job {
    pub(super) id: WebhookJobId,
    pub(super) sub: WebhookOutSubId,
    pub(super) order: Option<OrderId>,
    pub(super) sequence: Option<i64>,
    pub(super) state: State,
    pub(super) ordered: bool,
    pub(super) passed: bool,
    pub(super) cancel_requested: bool,
    pub(super) attempts: u32,
    pub(super) job_faults: u32,
    pub(super) first_attempt_clock: Option<i64>,
    /// None while it is held, and when it is final.
    pub(super) next_attempt_at: Option<Moment>,
    pub(super) created_at: Moment,
    /// The piece of work that made it.
    pub(super) made_by: u64,
    pub(super) is_big: bool,
}

#[derive(Clone)]
pub(super) struct Sub {
    pub(super) sub: Arc<WebhookOutSub>,
    pub(super) is_deleted: bool,
    /// Its orderings so far, each with the piece of work that set it.
    pub(super) orderings: Vec<(u64, Ordering)>,
}

#[derive(Clone, Default)]
pub(super) struct Store {
    /// By id, from 1.
    pub(super) jobs: Vec<Job>,
    pub(super) subs: BTreeMap<WebhookOutSubId, Sub>,
    /// How many stages each order has.
    pub(super) sequences: BTreeMap<OrderId, i64>,
    /// Raised by each process that takes the lanes over.
    pub(super) fence: i64,
    /// Counts pieces of work.
    pub(super) works: u64,
}

impl State {
    pub(super) fn is_final(self) -> bool {
        !matches!(self, State::Pending | State::Retrying)
    }
}

impl Job {
    pub(super) fn ready(&self) -> ReadyJob {
        let payload = if self.is_big {
            BIG_PAYLOAD.clone()
        } else {
            Bytes::from_static(b"{}")
        };
        ReadyJob {
            id: self.id,
            webhook_out_sub_id: self.sub,
            order_id: self.order,
            sequence: self.sequence,
            webhook_id: WebhookId::from_bytes([1; 16]),
            attempts: self.attempts,
            job_faults: self.job_faults,
            first_attempt_clock: self.first_attempt_clock,
            created_at: self.created_at,
            due_at: self.next_attempt_at.unwrap_or(self.created_at),
            payload,
            test: self.order.is_none(),
        }
    }

    /// Whether it waits, and its group waits for it.
    fn holds(&self) -> bool {
        !self.state.is_final() && self.ordered && !self.passed
    }

    pub(super) fn is_held(&self) -> bool {
        !self.state.is_final() && self.next_attempt_at.is_none()
    }
}

impl Store {
    pub(super) fn job(&self, id: WebhookJobId) -> Option<&Job> {
        self.jobs.get(usize::try_from(id.0 - 1).ok()?)
    }

    pub(super) fn job_mut(&mut self, id: WebhookJobId) -> Option<&mut Job> {
        self.jobs.get_mut(usize::try_from(id.0 - 1).ok()?)
    }

    pub(super) fn ordering(&self, sub: WebhookOutSubId) -> Ordering {
        self.subs
            .get(&sub)
            .map_or(Ordering::None, |sub| sub.sub.ordering)
    }

    /// The jobs of a lane that wait, the oldest first.
    pub(super) fn waiting(&self, sub: WebhookOutSubId) -> impl Iterator<Item = &Job> {
        let jobs = self.jobs.iter();
        jobs.filter(move |job| job.sub == sub && !job.state.is_final())
    }

    /// The earliest job that one of this group with the number `before` has to wait for.
    pub(super) fn holder(
        &self,
        sub: WebhookOutSubId,
        order: Option<OrderId>,
        before: WebhookJobId,
    ) -> Option<WebhookJobId> {
        let ordering = self.ordering(sub);
        let holder = self.waiting(sub).find(|job| {
            job.id < before
                && job.holds()
                && match ordering {
                    Ordering::Order => order.is_some() && job.order == order,
                    Ordering::Subscription => order.is_some(),
                    Ordering::None => false,
                }
        });
        holder.map(|job| job.id)
    }

    pub(super) fn due_jobs(&self, sub: WebhookOutSubId, now: Moment, limit: usize) -> DueJobs {
        let waiting = self.waiting(sub);
        let mut timed: Vec<(Moment, &Job)> = waiting
            .filter_map(|job| Some((job.next_attempt_at?, job)))
            .collect();
        timed.sort_by_key(|(at, job)| (*at, job.id));
        let due = timed.iter().filter(|(at, _)| *at <= now).count();
        let taken = timed.iter().take(due.min(limit));
        DueJobs {
            jobs: taken.map(|(_, job)| job.ready()).collect(),
            more: due > limit,
            next_due_at: timed.get(due).filter(|_| due <= limit).map(|(at, _)| *at),
        }
    }

    pub(super) fn oldest_job(&self, sub: WebhookOutSubId) -> Option<ReadyJob> {
        self.waiting(sub).next().map(Job::ready)
    }

    pub(super) fn lane(&self, id: WebhookOutSubId) -> Option<Lane> {
        let sub = self.subs.get(&id).filter(|sub| !sub.is_deleted)?;
        let mut lane = lane_of((*sub.sub).clone());
        lane.fence = Fence(self.fence);
        lane.next_due_at = self.waiting(id).filter_map(|job| job.next_attempt_at).min();
        Some(lane)
    }

    pub(super) fn lanes(&self) -> Vec<Lane> {
        self.subs.keys().filter_map(|id| self.lane(*id)).collect()
    }

    /// Cancels what waits for subscriptions that are deleted.
    pub(super) fn cancel_leftovers(&mut self) {
        let subs = &self.subs;
        let is_deleted = |id| subs.get(&id).is_some_and(|sub| sub.is_deleted);
        for job in &mut self.jobs {
            if !job.state.is_final() && is_deleted(job.sub) {
                job.state = State::Canceled;
                job.next_attempt_at = None;
            }
        }
    }

    /// What must hold after each commit: whoever waits has a moment, or waits for somebody who does.
    pub(super) fn check(&self) -> Result<(), String> {
        for job in self.jobs.iter().filter(|job| job.is_held()) {
            let is_deleted = self.subs.get(&job.sub).is_none_or(|sub| sub.is_deleted);
            if !is_deleted && self.holder(job.sub, job.order, job.id).is_none() {
                return Err(format!("job {} is held by nobody", job.id));
            }
        }
        Ok(())
    }
}
