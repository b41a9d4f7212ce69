//! Who may send next: the limit of all requests together, shared fairly by the lanes.
//!
//! Lanes that want to send stand in a line and get one slot at a time. Those without a recent success hold
//! at most half of the slots together: however many endpoints hang, half of the slots stay for those
//! that work. Those that have failed since hold at most half of that half, so that a lane that was only quiet
//! does not wait until their requests time out. The kinds take turns; within each, lanes with nothing under way
//! go first, so that none waits for its first slot while others get one more.
//!
//! A lane may change from one line to another while it waits. It then stands in both, at most once in each,
//! and the caller passes it over where it does not belong any more.

use std::collections::VecDeque;

use domain::id::WebhookOutSubId;

/// Whether a lane has shown lately that it works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Something has succeeded lately, and nothing has failed since.
    Trusted,
    /// Nothing has failed since the last success, which is long ago or never was.
    Quiet,
    /// Something has failed since the last success.
    Suspect,
}

/// Where a lane stands in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) trust: Trust,
    /// Whether it has nothing under way.
    pub(crate) is_idle: bool,
}

/// The places where a lane stands in line.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LinedUp([bool; 6]);

#[derive(Debug)]
pub(crate) struct Slots {
    trusted: Share,
    quiet: Share,
    suspect: Share,
    max: usize,
    /// Whose turn it is.
    turn: Trust,
}

/// The slots of one kind of lanes.
#[derive(Debug, Default)]
struct Share {
    idle: VecDeque<WebhookOutSubId>,
    busy: VecDeque<WebhookOutSubId>,
    taken: usize,
}

impl Slots {
    /// At least one slot.
    pub(crate) fn new(max: usize) -> Slots {
        Slots {
            trusted: Share::default(),
            quiet: Share::default(),
            suspect: Share::default(),
            max: max.max(1),
            turn: Trust::Trusted,
        }
    }

    /// Puts a lane at the end of a line, unless it stands there already.
    pub(crate) fn line_up(&mut self, lane: WebhookOutSubId, place: Place, lined_up: &mut LinedUp) {
        let stands = &mut lined_up.0[place.index()];
        if !*stands {
            *stands = true;
            let share = self.share(place.trust);
            share.line(place.is_idle).push_back(lane);
        }
    }

    /// Takes a lane out of line that may have the next slot, if there is one.
    pub(crate) fn next(&mut self) -> Option<(WebhookOutSubId, Place)> {
        let first = self.turn;
        [first, first.next(), first.next().next()]
            .into_iter()
            .find_map(|trust| {
                if !self.has_slot(trust) {
                    return None;
                }
                let (lane, is_idle) = self.share(trust).next()?;
                Some((lane, Place { trust, is_idle }))
            })
    }

    /// Whether one more of this kind may send.
    fn has_slot(&self, trust: Trust) -> bool {
        let unproven = self.quiet.taken + self.suspect.taken;
        let suspect = self.suspect.taken;
        let is_within = |taken: usize, share: usize| taken < (self.max / share).max(1);
        is_within(self.taken(), 1)
            && (trust == Trust::Trusted || is_within(unproven, 2))
            && (trust != Trust::Suspect || is_within(suspect, 4))
    }

    /// Gives a slot to a lane of this kind; another kind is next.
    pub(crate) fn take(&mut self, trust: Trust) {
        self.share(trust).taken += 1;
        self.turn = trust.next();
    }

    pub(crate) fn release(&mut self, trust: Trust) {
        self.share(trust).taken -= 1;
    }

    /// How many requests are under way.
    pub(crate) fn taken(&self) -> usize {
        self.trusted.taken + self.quiet.taken + self.suspect.taken
    }

    fn share(&mut self, trust: Trust) -> &mut Share {
        match trust {
            Trust::Trusted => &mut self.trusted,
            Trust::Quiet => &mut self.quiet,
            Trust::Suspect => &mut self.suspect,
        }
    }
}

impl Share {
    fn line(&mut self, is_idle: bool) -> &mut VecDeque<WebhookOutSubId> {
        if is_idle {
            &mut self.idle
        } else {
            &mut self.busy
        }
    }

    fn next(&mut self) -> Option<(WebhookOutSubId, bool)> {
        let idle = self.idle.pop_front().map(|lane| (lane, true));
        idle.or_else(|| self.busy.pop_front().map(|lane| (lane, false)))
    }
}

impl Trust {
    /// The kind whose turn comes after this one's.
    const fn next(self) -> Trust {
        match self {
            Trust::Trusted => Trust::Quiet,
            Trust::Quiet => Trust::Suspect,
            Trust::Suspect => Trust::Trusted,
        }
    }
}

impl Place {
    const fn index(self) -> usize {
        self.trust as usize * 2 + self.is_idle as usize
    }
}

impl LinedUp {
    /// The lane was taken out of line there.
    pub(crate) fn leave(&mut self, place: Place) {
        self.0[place.index()] = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Trust::{Quiet, Suspect, Trusted};

    /// Lines up lanes that always want more, and gives out slots until none is left.
    fn give_all(slots: &mut Slots, lanes: &[(i64, Trust)]) -> Vec<i64> {
        let line_up = |slots: &mut Slots, lane, trust, is_idle| {
            let place = Place { trust, is_idle };
            slots.line_up(lane, place, &mut LinedUp::default());
        };
        for (lane, trust) in lanes {
            line_up(slots, WebhookOutSubId(*lane), *trust, true);
        }
        let mut given = Vec::new();
        while let Some((lane, place)) = slots.next() {
            slots.take(place.trust);
            line_up(slots, lane, place.trust, false);
            given.push(lane.0);
        }
        given
    }

    #[test]
    fn lanes_take_turns_the_unproven_get_half_and_suspects_half_of_that() {
        type Case = (usize, Vec<(i64, Trust)>, Vec<i64>);
        let cases: [Case; 9] = [
            (4, vec![(1, Trusted)], vec![1, 1, 1, 1]),
            (4, vec![(1, Trusted), (2, Trusted)], vec![1, 2, 1, 2]),
            (4, vec![(1, Quiet)], vec![1, 1]),
            (4, vec![(1, Quiet), (2, Quiet), (3, Quiet)], vec![1, 2]),
            (8, vec![(1, Suspect)], vec![1, 1]),
            (8, vec![(1, Suspect), (2, Quiet)], vec![2, 1, 2, 1]),
            (6, vec![(1, Quiet), (2, Trusted)], vec![2, 1, 2, 1, 2, 1]),
            (1, vec![(1, Suspect)], vec![1]),
            (0, vec![(1, Trusted)], vec![1]),
        ];
        for (max, lanes, expected) in cases {
            let given = give_all(&mut Slots::new(max), &lanes);
            assert_eq!(given, expected, "{max} {lanes:?}");
        }
    }

    #[test]
    fn suspects_leave_slots_to_the_quiet_and_both_to_the_trusted() {
        let mut slots = Slots::new(8);
        assert_eq!(give_all(&mut slots, &[(1, Suspect)]), [1, 1]);
        assert_eq!(give_all(&mut slots, &[(2, Quiet)]), [2, 2]);
        assert_eq!(give_all(&mut slots, &[(3, Trusted)]), [3, 3, 3, 3]);
    }

    #[test]
    fn a_released_slot_goes_to_the_lane_that_has_none() {
        let mut slots = Slots::new(3);
        assert_eq!(
            give_all(&mut slots, &[(1, Trusted), (2, Trusted)]),
            [1, 2, 1]
        );
        let idle = Place {
            trust: Trusted,
            is_idle: true,
        };
        let mut lined_up = LinedUp::default();
        slots.line_up(WebhookOutSubId(3), idle, &mut lined_up);
        slots.line_up(WebhookOutSubId(3), idle, &mut lined_up);
        assert_eq!(slots.next(), None);
        slots.release(Trusted);
        assert_eq!(slots.next(), Some((WebhookOutSubId(3), idle)));
        let busy = Place {
            trust: Trusted,
            is_idle: false,
        };
        assert_eq!(
            slots.next(),
            Some((WebhookOutSubId(2), busy)),
            "stood there once"
        );
        assert_eq!(slots.taken(), 2);
    }
}
