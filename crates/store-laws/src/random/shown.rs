//! Jobs and subscriptions as they are compared: with places in the model instead of ids.

use domain::id::WebhookOutSubId;
use domain::time::Moment;
use domain::webhook_job::{JobState, WebhookJob};
use domain::webhook_out_sub::{Ordering, WebhookOutSub};

use super::run::{Run, place};
use crate::Working;

/// A job, with places in the model instead of ids.
#[derive(Debug, PartialEq)]
pub(super) struct Shown {
    place: usize,
    sub: usize,
    stage: Option<usize>,
    order_and_sequence: Option<(usize, i64)>,
    status_and_event: Option<(String, Option<String>)>,
    state: JobState,
    due: Option<Moment>,
    held_by: Option<usize>,
    attempts: u32,
    status_code: Option<u16>,
    flags: [(&'static str, bool); 3],
    retry_of: Option<usize>,
    created_at: Moment,
    finished_at: Option<Moment>,
}

/// A subscription, as far as commands change it.
#[derive(Debug, PartialEq)]
pub(super) struct ShownSub {
    id: WebhookOutSubId,
    ordering: Ordering,
    active: bool,
    supersede: bool,
}

impl<S: Working> Run<'_, S> {
    /// A job of the store.
    pub(super) fn shown(&self, job: &WebhookJob) -> Shown {
        let order = job.order_id.map(|id| place(&self.orders, id));
        let stage = job.order_stage_id.map(|id| place(&self.stages, id));
        Shown {
            place: self.place_of(job.id),
            sub: place(&self.subs, job.webhook_out_sub_id),
            stage,
            order_and_sequence: order.zip(job.sequence),
            // What a test tells of is not looked at.
            status_and_event: stage
                .map(|_| (job.status.clone().unwrap_or_default(), job.event.clone())),
            state: job.state,
            due: job.next_attempt_at,
            held_by: job.held_by.map(|id| self.place_of(id)),
            attempts: job.attempt_count,
            status_code: job.status_code,
            flags: flags(job.passed, job.cancel_requested, job.test),
            retry_of: job.retry_of.map(|id| self.place_of(id)),
            created_at: job.created_at,
            finished_at: job.finished_at,
        }
    }

    /// A job of the model.
    pub(super) fn expected(&self, place: usize) -> Shown {
        let job = &self.model.jobs[place];
        let stage = job.stage.map(|stage| &self.model.stages[stage]);
        let is_held = job.waits() && job.due.is_none();
        Shown {
            place,
            sub: job.sub,
            stage: job.stage,
            order_and_sequence: stage.map(|stage| (stage.order, stage.sequence)),
            status_and_event: stage
                .map(|stage| (stage.stage.to_owned(), stage.event.map(str::to_owned))),
            state: job.state,
            due: job.due,
            held_by: self.model.holder(place).filter(|_| is_held),
            attempts: job.attempts,
            status_code: job.status_code,
            flags: flags(job.passed, job.cancel_requested, job.stage.is_none()),
            retry_of: job.retry_of,
            created_at: job.created_at,
            finished_at: job.finished_at,
        }
    }

    pub(super) fn shown_sub(&self, sub: &WebhookOutSub) -> ShownSub {
        ShownSub {
            id: sub.id,
            ordering: sub.ordering,
            active: sub.active,
            supersede: sub.supersede,
        }
    }

    pub(super) fn expected_sub(&self, place: usize) -> ShownSub {
        let sub = &self.model.subs[place];
        ShownSub {
            id: self.subs[place],
            ordering: sub.ordering,
            active: sub.active,
            supersede: sub.supersede,
        }
    }
}

fn flags(passed: bool, cancel_requested: bool, test: bool) -> [(&'static str, bool); 3] {
    [
        ("passed", passed),
        ("cancel_requested", cancel_requested),
        ("test", test),
    ]
}
