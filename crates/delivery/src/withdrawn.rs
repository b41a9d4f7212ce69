//! Jobs that were taken back a moment ago.
//!
//! A job is withdrawn inside the transaction that cancels it, and nobody tells when that is committed. A
//! claim that reads before the commit would bring the job back, and so would the notice of a job that was made and
//! superseded in one commit. So the ids are remembered for longer than a commit takes. If the
//! transaction failed, the lane claims the job again when they are forgotten.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use domain::id::WebhookJobId;
use domain::time::Moment;

/// How long a withdrawal counts: far longer than a transaction takes.
pub(crate) const WITHDRAWN_SECONDS: u64 = 10;
/// Most that are remembered; beyond, the oldest are forgotten, whose transactions ended long ago.
const WITHDRAWN_MAX: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Withdrawn {
    /// Each with the moment when it is forgotten.
    ids: HashMap<WebhookJobId, Moment>,
    /// The same, those first that are forgotten first.
    in_order: BTreeSet<(Moment, WebhookJobId)>,
}

impl Withdrawn {
    /// Remembers a job; returns when it is forgotten.
    pub(crate) fn insert(&mut self, id: WebhookJobId, now: Moment) -> Moment {
        let until = now + Duration::from_secs(WITHDRAWN_SECONDS);
        if let Some(before) = self.ids.insert(id, until) {
            self.in_order.remove(&(before, id));
        }
        self.in_order.insert((until, id));
        if self.in_order.len() > WITHDRAWN_MAX {
            self.forget_first();
        }
        until
    }

    /// Until when the job is left alone, if it was withdrawn lately.
    pub(crate) fn until(&mut self, id: WebhookJobId, now: Moment) -> Option<Moment> {
        self.forget(now);
        self.ids.get(&id).copied()
    }

    /// All that are remembered, in no order.
    pub(crate) fn ids(&mut self, now: Moment) -> impl Iterator<Item = WebhookJobId> {
        self.forget(now);
        self.ids.keys().copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    fn forget(&mut self, now: Moment) {
        while self
            .in_order
            .first()
            .is_some_and(|(until, _)| *until <= now)
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, id)) = self.in_order.pop_first() {
            self.ids.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::EPOCH;

    #[test]
    fn withdrawals_count_for_a_while_and_are_bounded() {
        let mut withdrawn = Withdrawn::default();
        let until = withdrawn.insert(WebhookJobId(1), NOW);
        assert_eq!(withdrawn.until(WebhookJobId(1), NOW), Some(until));
        assert_eq!(withdrawn.until(WebhookJobId(2), NOW), None);
        assert_eq!(withdrawn.until(WebhookJobId(1), until), None);
        for id in 0..10_000 {
            withdrawn.insert(WebhookJobId(id), NOW);
        }
        assert_eq!(withdrawn.len(), WITHDRAWN_MAX);
        assert_eq!(withdrawn.until(WebhookJobId(9_999), NOW), Some(until));
        assert_eq!(withdrawn.until(WebhookJobId(0), NOW), None);
    }

    #[test]
    fn who_is_withdrawn_again_is_remembered_anew() {
        let mut withdrawn = Withdrawn::default();
        let first = withdrawn.insert(WebhookJobId(1), NOW);
        let second = withdrawn.insert(WebhookJobId(1), NOW + Duration::from_secs(9));
        assert_eq!(withdrawn.until(WebhookJobId(1), first), Some(second));
        assert_eq!(withdrawn.until(WebhookJobId(1), second), None);
        assert_eq!(withdrawn.len(), 0);
    }
}
