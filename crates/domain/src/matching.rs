//! Whether a subscription wants a change.

use crate::vocabulary::{ALL, OperationalEvent, is_same_status};

/// What makes a job for a subscription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    statuses: Words,
    events: Words,
}

/// Words of a vocabulary.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    /// All, and these by name as well.
    All(Box<[Box<str>]>),
    These(Box<[Box<str>]>),
}

/// Why a subscription wants a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Its statuses hold the stage.
    Status,
    /// Its events hold the event.
    Event,
    /// Both; still one job.
    Both,
    /// It does not.
    Neither,
}

impl Triggers {
    /// The triggers of these lists; `"*"` in a list means all.
    pub fn new(statuses: &[String], events: &[String]) -> Triggers {
        Triggers {
            statuses: Words::new(statuses),
            events: Words::new(events),
        }
    }

    /// Why a change is wanted. `stage` is the status that the order took; none if it took none, and then only the
    /// event can match.
    pub fn matches(&self, stage: Option<&str>, event: Option<&str>) -> Match {
        let status = stage.is_some_and(|stage| self.statuses.hold(stage, is_same_status));
        let event = event.is_some_and(|event| self.events.hold(event, |a, b| a == b));
        match (status, event) {
            (true, true) => Match::Both,
            (true, false) => Match::Status,
            (false, true) => Match::Event,
            (false, false) => Match::Neither,
        }
    }

    /// Whether an event of Postrider itself is wanted: it must be listed by name, since `"*"` means the events of orders.
    pub fn lists(&self, event: OperationalEvent) -> bool {
        match &self.events {
            Words::All(named) | Words::These(named) => {
                named.iter().any(|word| **word == *event.slug())
            }
        }
    }

    /// Whether nothing at all is wanted.
    pub fn is_empty(&self) -> bool {
        self.statuses.is_empty() && self.events.is_empty()
    }
}

impl Match {
    /// The possible names.
    pub const NAMES: [&'static str; 3] = ["status", "event", "status_and_event"];

    /// The name of what is wanted, if anything is.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Match::Status => Some(Self::NAMES[0]),
            Match::Event => Some(Self::NAMES[1]),
            Match::Both => Some(Self::NAMES[2]),
            Match::Neither => None,
        }
    }

    /// Whether the change is wanted.
    pub const fn is_match(self) -> bool {
        !matches!(self, Match::Neither)
    }
}

impl Words {
    fn new(words: &[String]) -> Words {
        let named = words.iter().map(|word| word.as_str().into()).collect();
        if words.iter().any(|word| word == ALL) {
            Words::All(named)
        } else {
            Words::These(named)
        }
    }

    fn hold(&self, word: &str, is_same: impl Fn(&str, &str) -> bool) -> bool {
        match self {
            Words::All(_) => true,
            Words::These(words) => words.iter().any(|held| is_same(held, word)),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Words::These(words) if words.is_empty())
    }
}

impl Default for Words {
    fn default() -> Words {
        Words::These(Box::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triggers(statuses: &[&str], events: &[&str]) -> Triggers {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        Triggers::new(&owned(statuses), &owned(events))
    }

    #[test]
    fn a_change_is_wanted_for_its_status_its_event_or_both() {
        let both = triggers(&["scheduled", "completed"], &["order.delivered"]);
        let all = triggers(&["*"], &["*"]);
        let none = triggers(&[], &[]);
        let cases = [
            (&both, Some("scheduled"), None, Match::Status),
            (
                &both,
                Some("completed"),
                Some("order.processed"),
                Match::Status,
            ),
            (&both, Some("hold"), Some("order.delivered"), Match::Event),
            (
                &both,
                Some("completed"),
                Some("order.delivered"),
                Match::Both,
            ),
            (&both, Some("hold"), Some("order.processed"), Match::Neither),
            (&both, Some("schedule"), None, Match::Neither),
            (
                &both,
                Some("order.delivered"),
                Some("scheduled"),
                Match::Neither,
            ),
            (&both, None, Some("order.delivered"), Match::Event),
            (&both, None, None, Match::Neither),
            (&all, Some("hold"), None, Match::Status),
            (&all, None, Some("x"), Match::Event),
            (&all, Some("hold"), Some("x"), Match::Both),
            (&all, None, None, Match::Neither),
            (&none, Some("hold"), Some("order.delivered"), Match::Neither),
        ];
        for (triggers, stage, event, expected) in cases {
            let matched = triggers.matches(stage, event);
            assert_eq!(matched, expected, "{stage:?} {event:?}");
            assert_eq!(matched.is_match(), expected != Match::Neither);
        }
    }

    #[test]
    fn events_of_our_own_are_listed_by_name() {
        let off = OperationalEvent::SubscriptionOff;
        for (events, expected) in [
            (vec!["*"], false),
            (vec!["*", "subscription.off"], true),
            (vec!["subscription.off"], true),
            (vec!["subscription.failing"], false),
            (vec![], false),
        ] {
            let listed = triggers(&["*"], &events);
            assert_eq!(listed.lists(off), expected, "{events:?}");
        }
    }

    #[test]
    fn both_spellings_of_a_cancelled_order_are_one_status() {
        for (wanted, reported) in [("canceled", "cancelled"), ("cancelled", "canceled")] {
            let triggers = triggers(&[wanted], &[wanted]);
            assert_eq!(triggers.matches(Some(reported), None), Match::Status);
            assert_eq!(triggers.matches(Some("hold"), None), Match::Neither);
            assert_eq!(triggers.matches(None, Some(reported)), Match::Neither);
        }
    }

    #[test]
    fn only_two_empty_lists_want_nothing() {
        assert!(triggers(&[], &[]).is_empty());
        for (statuses, events) in [(vec!["hold"], vec![]), (vec![], vec!["*"])] {
            assert!(!triggers(&statuses, &events).is_empty());
        }
    }
}
