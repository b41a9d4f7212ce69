//! Jobs that were taken back a moment ago.
//!
//! A job is withdrawn inside the transaction that cancels it, and nobody tells when that is committed. A
//! claim that reads before the commit would bring the job back, and so would the notice of a job that was made and
//! superseded in one commit. So the ids are remembered for longer than a commit takes. If the
//! transaction failed, the lane claims the job again when they are forgotten.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use domain::id::WebhookJobId;
use domain::time::Moment;

/// How long a withdrawal counts: far longer than a transaction takes.
pub(crate) const WITHDRAWN_SECONDS: u64 = 10;
/// Most that are remembered; beyond, the oldest are forgotten, whose transactions ended long ago.
const WITHDRAWN_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Withdrawn {
    ids: HashSet<WebhookJobId>,
    in_order: VecDeque<(Moment, WebhookJobId)>,
}

impl Withdrawn {
    /// Remembers a job; returns when it is forgotten.
    pub(crate) fn insert(&mut self, id: WebhookJobId, now: Moment) -> Moment {
        let until = now + Duration::from_secs(WITHDRAWN_SECONDS);
        if self.ids.insert(id) {
            self.in_order.push_back((until, id));
        }
        while self.in_order.len() > WITHDRAWN_MAX {
            self.forget_first();
        }
        until
    }

    /// Whether the job was withdrawn lately.
    pub(crate) fn holds(&mut self, id: WebhookJobId, now: Moment) -> bool {
        while self
            .in_order
            .front()
            .is_some_and(|(until, _)| *until <= now)
        {
            self.forget_first();
        }
        self.ids.contains(&id)
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    fn forget_first(&mut self) {
        if let Some((_, id)) = self.in_order.pop_front() {
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withdrawals_count_for_a_while_and_are_bounded() {
        let now = Moment::EPOCH;
        let mut withdrawn = Withdrawn::default();
        let until = withdrawn.insert(WebhookJobId(1), now);
        assert!(withdrawn.holds(WebhookJobId(1), now));
        assert!(!withdrawn.holds(WebhookJobId(2), now));
        assert!(!withdrawn.holds(WebhookJobId(1), until));
        for id in 0..10_000 {
            withdrawn.insert(WebhookJobId(id), now);
        }
        assert_eq!(withdrawn.len(), WITHDRAWN_MAX);
        assert!(withdrawn.holds(WebhookJobId(9_999), now));
        assert!(!withdrawn.holds(WebhookJobId(0), now));
    }
}
