//! Receivers and their moods.

use std::time::Duration;

use domain::id::OrderId;
use domain::time::Moment;
use egress::{Answer, ConnectFault, Fault};
use http::HeaderMap;
use http::header::{HeaderValue, RETRY_AFTER};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::fixtures::{answer, exchange};
use crate::judge::{Judged, crashed, judge};
use crate::lane::Start;

/// How a receiver answers for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Healthy,
    Down,
    Unreachable,
    /// Refuses every other order.
    Picky,
    /// Refuses everything.
    Refusing,
    Gone,
    /// Asks to be left alone for so many seconds.
    Busy(u16),
    Flapping,
    /// This machine itself is in trouble.
    OutOfSockets,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Status(u16),
    /// 429 with this many seconds of `Retry-After`.
    TooMany(u16),
    NoConnection,
    OutOfSockets,
    /// A defect of ours.
    Crashed,
}

impl Mood {
    pub(super) fn draw(chance: &mut StdRng) -> Mood {
        match chance.random_range(0..20) {
            0..4 => Mood::Healthy,
            4..8 => Mood::Down,
            8 | 9 => Mood::Unreachable,
            10 | 11 => Mood::Picky,
            12 | 13 => Mood::Refusing,
            14 => Mood::Gone,
            15 | 16 => Mood::Busy([0, 7, 600, 60_000][chance.random_range(0..4)]),
            17 | 18 => Mood::Flapping,
            _ => Mood::OutOfSockets,
        }
    }

    pub(super) fn reply(self, order: Option<OrderId>, chance: &mut StdRng) -> Reply {
        match self {
            Mood::Healthy => Reply::Status(200),
            Mood::Down => Reply::Status(503),
            Mood::Unreachable => Reply::NoConnection,
            Mood::Picky if order.is_some_and(|order| order.0 % 2 == 1) => Reply::Status(422),
            Mood::Picky => Reply::Status(200),
            Mood::Refusing => Reply::Status(400),
            Mood::Gone => Reply::Status(410),
            Mood::Busy(seconds) => Reply::TooMany(seconds),
            Mood::Flapping => match chance.random_range(0..8) {
                0..5 => Reply::Status(204),
                5 => Reply::NoConnection,
                6 => Reply::Crashed,
                _ => Reply::Status(500),
            },
            Mood::OutOfSockets => Reply::OutOfSockets,
        }
    }
}

impl Reply {
    pub(super) fn is_success(self) -> bool {
        matches!(self, Reply::Status(200..=299))
    }

    /// Whether the receiver refused this very payload.
    pub(super) fn is_refusal(self) -> bool {
        matches!(self, Reply::Status(400 | 422))
    }

    pub(super) fn is_gone(self) -> bool {
        self == Reply::Status(410)
    }

    /// Whether it says nothing of the receiver.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Reply::OutOfSockets | Reply::Crashed)
    }

    pub(super) fn retry_after(self) -> Option<Duration> {
        match self {
            Reply::TooMany(seconds) => Some(Duration::from_secs(seconds.into())),
            _ => None,
        }
    }

    /// What the engine makes of it.
    pub(super) fn judged(self, start: &Start, started_at: Moment, now: Moment) -> Judged {
        let mut exchange = match self {
            Reply::Status(status) => exchange(Ok(answer(status))),
            Reply::TooMany(seconds) => exchange(Ok(Answer {
                headers: HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from(seconds))]),
                ..answer(429)
            })),
            Reply::NoConnection => exchange(Err(Fault::Closed)),
            Reply::OutOfSockets => exchange(Err(out_of_sockets())),
            Reply::Crashed => return crashed(start, started_at, now),
        };
        exchange.timing.total = now.since(started_at);
        judge(start, exchange, started_at, now)
    }
}

fn out_of_sockets() -> Fault {
    Fault::Connect(ConnectFault::OutOfSockets(String::new()))
}
