//! What was accepted and what was received, compared at the end of a phase.

use std::collections::HashMap;
use std::time::Duration;

use super::bits::Bits;
use super::histogram::Histogram;
use super::marker::Marker;
use super::plan::CHANGES_MAX;

/// Whose subscriptions are whose: requests, and the changes in them, go to the integrations in turn.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// How many integrations there are.
    pub integrations: usize,
    /// How many answered subscriptions each has.
    pub subscriptions: usize,
    /// How many changes a request has.
    pub batch: usize,
}

/// The changes that the server accepted, by integration.
#[derive(Clone, Debug)]
pub struct Accepted {
    layout: Layout,
    changes: Vec<Bits>,
    count: u64,
}

/// The deliveries that came.
#[derive(Debug)]
pub struct Ledger {
    layout: Layout,
    seen: Vec<Bits>,
    /// The last sequence of an order at a subscription, where an order has several.
    sequences: Option<HashMap<(usize, u64), u64>>,
    latencies: Histogram,
    tally: Tally,
    last: Duration,
}

/// How many deliveries were what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The first one of its change at its subscription.
    pub delivered: u64,
    /// A further one of the same change at the same subscription.
    pub duplicates: u64,
    /// A first one that came after one of a later stage of the same order.
    pub misordered: u64,
    /// One that no marker of this phase, or none of its headers, was found in.
    pub unknown: u64,
}

/// What the headers of a delivery say of its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The server's id of the order.
    pub order: u64,
    /// The how-manieth stage of the order.
    pub sequence: u64,
}

impl Layout {
    /// The integration that takes this change.
    pub fn integration_of(self, number: u64) -> usize {
        (number / self.batch as u64 % self.integrations as u64) as usize
    }

    /// The place of a change among those of its integration.
    fn index_of(self, number: u64) -> usize {
        let batch = self.batch as u64;
        (number / (batch * self.integrations as u64) * batch + number % batch) as usize
    }

    /// How many answered subscriptions there are.
    pub fn count(self) -> usize {
        self.integrations * self.subscriptions
    }
}

impl Accepted {
    /// Nothing yet.
    pub fn new(layout: Layout) -> Accepted {
        Accepted {
            layout,
            changes: vec![Bits::default(); layout.integrations],
            count: 0,
        }
    }

    /// Notes that a change was accepted.
    pub fn insert(&mut self, number: u64) {
        let index = self.layout.index_of(number);
        self.changes[self.layout.integration_of(number)].insert(index);
        self.count += 1;
    }

    /// How many changes were accepted.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How many deliveries they make.
    pub fn deliveries(&self) -> u64 {
        self.count * self.layout.subscriptions as u64
    }
}

impl Ledger {
    /// An empty one; `checks_order` where orders have several changes.
    pub fn new(layout: Layout, checks_order: bool) -> Ledger {
        Ledger {
            layout,
            seen: vec![Bits::default(); layout.count()],
            sequences: checks_order.then(HashMap::new),
            latencies: Histogram::default(),
            tally: Tally::default(),
            last: Duration::ZERO,
        }
    }

    /// Notes a delivery to a subscription at `now`, both times since the run began.
    pub fn receive(
        &mut self,
        subscription: usize,
        marker: Option<Marker>,
        place: Option<Place>,
        now: Duration,
    ) {
        let marker = marker.filter(|marker| self.is_addressed(subscription, marker.number));
        let (Some(marker), Some(place)) = (marker, place) else {
            self.tally.unknown += 1;
            return;
        };
        if !self.seen[subscription].insert(self.layout.index_of(marker.number)) {
            self.tally.duplicates += 1;
            return;
        }
        self.tally.delivered += 1;
        self.latencies.record(now.saturating_sub(marker.sent));
        self.last = now;
        if let Some(sequences) = &mut self.sequences {
            let last = sequences.entry((subscription, place.order)).or_default();
            self.tally.misordered += u64::from(place.sequence <= *last);
            *last = place.sequence.max(*last);
        }
    }

    fn is_addressed(&self, subscription: usize, number: u64) -> bool {
        number < CHANGES_MAX
            && subscription < self.seen.len()
            && subscription / self.layout.subscriptions == self.layout.integration_of(number)
    }

    /// How many deliveries of accepted changes have not come.
    pub fn missing(&self, accepted: &Accepted) -> u64 {
        // Counting bits of many subscriptions takes a while; the sum is enough to say that some are missing.
        let short = accepted.deliveries().saturating_sub(self.tally.delivered);
        if short > 0 {
            return short;
        }
        self.lost(accepted)
    }

    /// How many deliveries of accepted changes have not come, not balanced by those of changes that were
    /// delivered though their sender got no answer.
    pub fn lost(&self, accepted: &Accepted) -> u64 {
        let seen = self.seen.iter().enumerate();
        seen.map(|(subscription, seen)| {
            accepted.changes[subscription / self.layout.subscriptions].count_missing_from(seen)
        })
        .sum()
    }

    /// How many deliveries were what.
    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// From sending a change to receiving its delivery.
    pub fn latencies(&self) -> &Histogram {
        &self.latencies
    }

    /// When the last first delivery came, since the run began.
    pub fn last(&self) -> Duration {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout = Layout {
        integrations: 2,
        subscriptions: 2,
        batch: 1,
    };

    fn receive(ledger: &mut Ledger, subscription: usize, number: u64, order: u64, sequence: u64) {
        let marker = Marker {
            number,
            sent: Duration::ZERO,
        };
        let place = Place { order, sequence };
        ledger.receive(
            subscription,
            Some(marker),
            Some(place),
            Duration::from_millis(1),
        );
    }

    #[test]
    fn what_is_lost_is_counted_by_subscription() {
        let mut accepted = Accepted::new(LAYOUT);
        let mut ledger = Ledger::new(LAYOUT, false);
        for number in 0..4 {
            accepted.insert(number);
        }
        // Change 9 was delivered though its sender never heard that it was accepted.
        for (subscription, number) in [
            (0, 0),
            (1, 0),
            (0, 2),
            (2, 1),
            (3, 1),
            (2, 3),
            (2, 9),
            (3, 9),
        ] {
            receive(&mut ledger, subscription, number, 1, 1);
        }
        assert_eq!(accepted.deliveries(), 8);
        assert_eq!(ledger.lost(&accepted), 2);
        assert_eq!(ledger.missing(&accepted), 2);
        assert_eq!(ledger.tally().delivered, 8);
    }

    #[test]
    fn a_batch_is_of_one_integration_and_leaves_no_gap() {
        let layout = Layout { batch: 3, ..LAYOUT };
        let integrations: Vec<usize> = (0..12).map(|n| layout.integration_of(n)).collect();
        assert_eq!(integrations, [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1]);
        let indices: Vec<usize> = (0..12).map(|n| layout.index_of(n)).collect();
        assert_eq!(indices, [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
    }

    #[test]
    fn duplicates_and_strangers_are_told_apart() {
        let mut ledger = Ledger::new(LAYOUT, false);
        receive(&mut ledger, 0, 0, 1, 1);
        receive(&mut ledger, 0, 0, 1, 1);
        receive(&mut ledger, 0, 1, 1, 1);
        receive(&mut ledger, 4, 0, 1, 1);
        ledger.receive(0, None, None, Duration::ZERO);
        let expected = Tally {
            delivered: 1,
            duplicates: 1,
            misordered: 0,
            unknown: 3,
        };
        assert_eq!(ledger.tally(), expected);
    }

    #[test]
    fn order_is_judged_by_order_and_subscription_on_first_deliveries() {
        let mut ledger = Ledger::new(LAYOUT, true);
        receive(&mut ledger, 0, 0, 1, 1);
        receive(&mut ledger, 0, 2, 1, 3);
        receive(&mut ledger, 0, 0, 1, 1);
        receive(&mut ledger, 0, 4, 2, 1);
        receive(&mut ledger, 1, 4, 1, 2);
        assert_eq!(ledger.tally().misordered, 0);
        receive(&mut ledger, 0, 6, 1, 2);
        receive(&mut ledger, 0, 8, 1, 4);
        assert_eq!(ledger.tally().misordered, 1);
    }
}
