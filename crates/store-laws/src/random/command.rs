//! What is commanded: drawn at random, by what there is at the moment.

use domain::time::Moment;
use domain::webhook_out_sub::Ordering;
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::model::{EVENTS, Model, STATUSES, Sub};

/// Few of each, so that they meet.
const ORDERS: &[&str] = &["A", "B", "C"];
const KEYS: &[&str] = &["k1", "k2", "k3", "k4"];
const ORDERINGS: &[Ordering] = &[Ordering::Order, Ordering::Subscription, Ordering::None];
const WANTED_STATUSES: &[&[&str]] = &[&["*"], &["*"], &["scheduled", "canceled"], &[]];
const WANTED_EVENTS: &[&[&str]] = &[&[], &["*"], &["order.canceled"]];
/// In neither list of words.
const UNKNOWN: &str = "nonsense";
const DAY_SECONDS: u64 = 24 * 60 * 60;

#[derive(Clone, Debug)]
pub(super) enum Command {
    /// So many seconds pass.
    Wait(u64),
    /// These stages are reported in one list.
    Report(Vec<Report>),
    /// A job is in flight from now on.
    Start(usize),
    /// These attempts come to an end, and are recorded together.
    Record(Vec<(usize, Next)>),
    /// Of the job of that place, as if it were of this integration.
    Cancel {
        integration: usize,
        job: usize,
    },
    Retry {
        integration: usize,
        job: usize,
    },
    Test(usize),
    Update(usize, Update),
    Delete(usize),
}

/// A stage that is reported.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Report {
    pub(super) integration: usize,
    pub(super) order: Named,
    pub(super) create_order: bool,
    pub(super) stage: &'static str,
    pub(super) event: Option<&'static str>,
    pub(super) update_status: bool,
    pub(super) key: Option<&'static str>,
}

/// How an order is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Named {
    External(&'static str),
    /// By the id of the order of that place.
    Place(usize),
}

/// What follows an attempt; `after` so many seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Delivered,
    Retry {
        after: u64,
        passed: bool,
    },
    Exhausted,
    /// The receiver wants nothing more: its subscription is off.
    Gone {
        after: u64,
    },
}

/// What changes of a subscription.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Update {
    pub(super) active: Option<bool>,
    pub(super) ordering: Option<Ordering>,
    pub(super) supersede: Option<bool>,
}

/// One of these.
pub(super) fn one<T: Copy>(from: &[T], chance: &mut StdRng) -> Option<T> {
    from.choose(chance).copied()
}

fn one_of<T: Copy>(from: &[T], chance: &mut StdRng) -> T {
    from[chance.random_range(0..from.len())]
}

/// A subscription to be.
pub(super) fn draw_sub(integrations: usize, chance: &mut StdRng) -> Sub {
    Sub {
        integration: chance.random_range(0..integrations),
        statuses: one_of(WANTED_STATUSES, chance),
        events: one_of(WANTED_EVENTS, chance),
        ordering: one_of(ORDERINGS, chance),
        supersede: chance.random_bool(0.3),
        active: true,
        deleted: false,
    }
}

/// What comes next; a wait where what was drawn cannot be.
pub(super) fn draw(
    model: &Model,
    integrations: usize,
    now: Moment,
    chance: &mut StdRng,
) -> Command {
    let jobs = |is: &dyn Fn(usize) -> bool| -> Vec<usize> {
        (0..model.jobs.len()).filter(|job| is(*job)).collect()
    };
    // As the owner of a lane sends them.
    let may_start = |job: usize| {
        let one = &model.jobs[job];
        let is_due = one.due.is_some_and(|due| due <= now);
        is_due && !one.in_flight && model.subs[one.sub].sends()
    };
    let may_end = |job: usize| model.jobs[job].in_flight || may_start(job);
    let drawn = match chance.random_range(0..100) {
        0..30 => Some(draw_reports(model, integrations, chance)),
        30..38 => one(&jobs(&may_start), chance).map(Command::Start),
        38..62 => draw_outcomes(&jobs(&may_end), chance),
        // Once more, of what has ended: the answer to the record was lost, or another node withdrew it.
        62..64 => {
            let ended = jobs(&|job| {
                let one = &model.jobs[job];
                !one.waits() && !model.subs[one.sub].deleted
            });
            one(&ended, chance).map(|job| Command::Record(vec![(job, draw_next(chance))]))
        }
        64..71 => draw_job(model, integrations, chance)
            .map(|(integration, job)| Command::Cancel { integration, job }),
        71..79 => draw_job(model, integrations, chance)
            .map(|(integration, job)| Command::Retry { integration, job }),
        79..86 => Some(Command::Update(
            draw_place(model, chance),
            draw_update(chance),
        )),
        86..88 => Some(Command::Test(draw_place(model, chance))),
        88 if chance.random_bool(0.4) => Some(Command::Delete(draw_place(model, chance))),
        _ => None,
    };
    drawn.unwrap_or_else(|| draw_wait(chance))
}

fn draw_wait(chance: &mut StdRng) -> Command {
    let most = if chance.random_bool(0.05) {
        4 * DAY_SECONDS
    } else {
        60
    };
    Command::Wait(chance.random_range(1..=most))
}

fn draw_place(model: &Model, chance: &mut StdRng) -> usize {
    chance.random_range(0..model.subs.len())
}

fn draw_reports(model: &Model, integrations: usize, chance: &mut StdRng) -> Command {
    let count = if chance.random_bool(0.3) {
        chance.random_range(2..=5)
    } else {
        1
    };
    let mut reports: Vec<Report> = Vec::new();
    for _ in 0..count {
        let again = model.answers.iter().map(|answer| &answer.report);
        let again: Vec<&Report> = again
            .chain(&reports)
            .filter(|one| one.key.is_some())
            .collect();
        let report = match again.choose(chance) {
            Some(report) if chance.random_bool(0.15) => (*report).clone(),
            _ => draw_report(model, integrations, chance),
        };
        reports.push(report);
    }
    Command::Report(reports)
}

fn draw_report(model: &Model, integrations: usize, chance: &mut StdRng) -> Report {
    let by_id = !model.orders.is_empty() && chance.random_bool(0.2);
    let word = |words: &[&'static str], chance: &mut StdRng| {
        if chance.random_bool(0.03) {
            UNKNOWN
        } else {
            one_of(words, chance)
        }
    };
    Report {
        integration: chance.random_range(0..integrations),
        order: if by_id {
            Named::Place(chance.random_range(0..model.orders.len()))
        } else {
            Named::External(one_of(ORDERS, chance))
        },
        create_order: !by_id && chance.random_bool(0.9),
        stage: word(STATUSES, chance),
        event: chance.random_bool(0.3).then(|| word(EVENTS, chance)),
        update_status: chance.random_bool(0.8),
        key: chance.random_bool(0.25).then(|| one_of(KEYS, chance)),
    }
}

fn draw_outcomes(jobs: &[usize], chance: &mut StdRng) -> Option<Command> {
    let count = if chance.random_bool(0.3) { 4 } else { 1 };
    let ended: Vec<usize> = jobs.sample(chance, count).copied().collect();
    let outcomes: Vec<_> = ended
        .into_iter()
        .map(|job| (job, draw_next(chance)))
        .collect();
    (!outcomes.is_empty()).then_some(Command::Record(outcomes))
}

fn draw_next(chance: &mut StdRng) -> Next {
    let after = chance.random_range(0..=90);
    match chance.random_range(0..20) {
        0..9 => Next::Delivered,
        9..13 => Next::Retry {
            after,
            passed: false,
        },
        13..16 => Next::Retry {
            after,
            passed: true,
        },
        16..19 => Next::Exhausted,
        _ => Next::Gone { after },
    }
}

/// A job, more often one that waits, and its integration, or sometimes another one.
fn draw_job(model: &Model, integrations: usize, chance: &mut StdRng) -> Option<(usize, usize)> {
    let is_wanted = |job: &usize| model.jobs[*job].waits();
    let waiting: Vec<usize> = (0..model.jobs.len()).filter(is_wanted).collect();
    let job = if waiting.is_empty() || chance.random_bool(0.4) {
        (!model.jobs.is_empty()).then(|| chance.random_range(0..model.jobs.len()))?
    } else {
        one(&waiting, chance)?
    };
    let integration = if chance.random_bool(0.1) {
        chance.random_range(0..integrations)
    } else {
        model.subs[model.jobs[job].sub].integration
    };
    Some((integration, job))
}

fn draw_update(chance: &mut StdRng) -> Update {
    Update {
        // Mostly on again: what is off makes no jobs.
        active: chance.random_bool(0.7).then(|| chance.random_bool(0.75)),
        ordering: chance.random_bool(0.4).then(|| one_of(ORDERINGS, chance)),
        supersede: chance.random_bool(0.2).then(|| chance.random()),
    }
}
