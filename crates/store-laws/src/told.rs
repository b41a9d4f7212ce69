//! An owner of lanes that notes what it is told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};

use domain::id::{WebhookJobId, WebhookOutSubId};
use store::{Fence, Lane, LaneOwner, ReadyJob, Withdrawal};

/// What the owner of the lanes was told, in order.
#[derive(Default)]
pub struct Told {
    events: Mutex<Vec<Event>>,
    lanes: Mutex<HashMap<WebhookOutSubId, Lane>>,
    /// Jobs that are in flight when they are asked back.
    in_flight: Mutex<Vec<WebhookJobId>>,
    /// Lanes whose jobs are looked for.
    behind: Mutex<Vec<WebhookOutSubId>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Ready(WebhookJobId),
    Changed(WebhookOutSubId),
    Closed(WebhookOutSubId),
}

impl Told {
    /// What was told since this was last asked.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *lock(&self.events))
    }

    /// From now on the job is in flight.
    pub fn fly(&self, job: WebhookJobId) {
        lock(&self.in_flight).push(job);
    }

    /// From now on the lane's jobs are looked for.
    pub fn fall_behind(&self, lane: WebhookOutSubId) {
        lock(&self.behind).push(lane);
    }

    /// It is in flight no more.
    pub fn land(&self, job: WebhookJobId) {
        lock(&self.in_flight).retain(|one| *one != job);
    }

    /// A lane as it was last told of; none where it is closed.
    pub fn lane(&self, id: WebhookOutSubId) -> Option<Lane> {
        lock(&self.lanes).get(&id).cloned()
    }

    /// Under which ownership a lane is.
    pub fn fence(&self, id: WebhookOutSubId) -> Fence {
        self.lane(id).map_or(Fence(0), |lane| lane.fence)
    }
}

impl LaneOwner for Told {
    fn ready(&self, jobs: Vec<ReadyJob>) {
        let ready = jobs.iter().map(|job| Event::Ready(job.id));
        lock(&self.events).extend(ready);
    }

    fn changed(&self, lane: Lane) {
        lock(&self.events).push(Event::Changed(lane.sub.id));
        lock(&self.lanes).insert(lane.sub.id, lane);
    }

    fn closed(&self, id: WebhookOutSubId) {
        lock(&self.events).push(Event::Closed(id));
        lock(&self.lanes).remove(&id);
    }

    fn withdraw(&self, _lane: WebhookOutSubId, job: WebhookJobId) -> Withdrawal {
        if lock(&self.in_flight).contains(&job) {
            Withdrawal::InFlight
        } else {
            Withdrawal::Withdrawn
        }
    }

    fn will_look(&self, lane: WebhookOutSubId) -> bool {
        lock(&self.behind).contains(&lane)
    }

    fn is_spent(&self, _lane: WebhookOutSubId) -> bool {
        lock(&self.in_flight).is_empty()
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().expect("no panic")
}
