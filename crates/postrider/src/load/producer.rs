//! The producer: sends changes over many connections from one thread, and times the answers.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use http::{StatusCode, Uri};
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};

use super::body::Template;
use super::histogram::Histogram;
use super::ledger::{Accepted, Layout};
use super::marker::Marker;
use super::plan::{CHANGES_MAX, Pace, Until};
use super::receipts;
use super::sender::{SendFault, Sender};
use super::target::Node;

/// How long a connection waits after a failure, so that a server that is down is not asked in a hot loop.
const FAILURE_PAUSE: Duration = Duration::from_millis(10);
/// How long the pacer sleeps at least; what is due meanwhile is let go together.
const PACER_PAUSE: Duration = Duration::from_micros(50);
/// How long after its end an open loop that is behind may still send what was due.
const BEHIND: Duration = Duration::from_secs(1);

/// What is sent, and where to.
#[derive(Clone, Debug)]
pub struct Job {
    /// Who is sent to; the connections are spread over them.
    pub nodes: Vec<Node>,
    /// The path.
    pub uri: Uri,
    /// The bodies, one template per integration.
    pub templates: Vec<Template>,
    /// Which change goes to which integration.
    pub layout: Layout,
    /// How many requests can be under way.
    pub connections: usize,
    /// When the next change is sent.
    pub pace: Pace,
    /// When no more is sent.
    pub until: Until,
    /// What times are counted from.
    pub began: Instant,
    /// Counts the changes that were answered with 200, for whoever looks on.
    pub progress: Arc<AtomicU64>,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The changes that were answered with 200.
    pub accepted: Accepted,
    /// From sending (open loop: from when it was due) to the end of the answer, of accepted ones.
    pub latencies: Histogram,
    /// Other answers and failures, by status or fault.
    pub refusals: BTreeMap<String, u64>,
    /// How many changes were due and not sent, since all connections were busy.
    pub unsent: u64,
    /// When it started, since `began`.
    pub started: Duration,
    /// How long it took until the last answer.
    pub elapsed: Duration,
}

struct State {
    job: Job,
    start: Instant,
    next: Cell<u64>,
    /// Permits of the open loop: as many as changes are due.
    due: Option<Arc<Semaphore>>,
    outcome: RefCell<Outcome>,
}

/// Sends until the end of the job, and returns once everything sent is answered or has failed.
///
/// # Errors
/// The system gives no event loop or thread.
pub fn produce(job: Job) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let start = Instant::now();
    let due = match job.pace {
        Pace::Answered => None,
        Pace::PerSecond(rate) => Some(start_pacer(start, rate, &job)?),
    };
    let outcome = Outcome {
        accepted: Accepted::new(job.layout),
        latencies: Histogram::default(),
        refusals: BTreeMap::new(),
        unsent: 0,
        started: start.duration_since(job.began),
        elapsed: Duration::ZERO,
    };
    let state = Rc::new(State {
        job,
        start,
        next: Cell::new(0),
        due,
        outcome: RefCell::new(outcome),
    });
    let mut connections = JoinSet::new();
    let local = LocalSet::new();
    let nodes = state.job.nodes.iter().cycle();
    for node in nodes.take(state.job.connections) {
        let sender = Sender::new(node);
        connections.spawn_local_on(send_all(state.clone(), sender), &local);
    }
    local.block_on(&runtime, async {
        while connections.join_next().await.is_some() {}
    });
    let (elapsed, unsent) = (start.elapsed(), state.unsent());
    let state = Rc::into_inner(state).context("a connection has not ended")?;
    Ok(Outcome {
        elapsed,
        unsent,
        ..state.outcome.into_inner()
    })
}

async fn send_all(state: Rc<State>, mut sender: Sender) {
    let job = &state.job;
    while let Some(numbers) = state.next().await {
        let now = Instant::now();
        let marker = |number| Marker {
            number,
            sent: state.due(number, now).duration_since(job.began),
        };
        let template = &job.templates[job.layout.integration_of(numbers.start)];
        let markers: Vec<Marker> = numbers.clone().map(marker).collect();
        let result = send(&mut sender, job, template.body(&markers), markers.len()).await;
        state.note(numbers, now, &result);
        if result.is_err() {
            tokio::time::sleep(FAILURE_PAUSE).await;
        }
    }
}

/// Sends a request, and gives the code of each of its changes.
async fn send(
    sender: &mut Sender,
    job: &Job,
    body: Vec<u8>,
    count: usize,
) -> Result<Vec<u16>, SendFault> {
    if job.layout.batch == 1 {
        let status = sender.post(&job.uri, body).await?;
        return Ok(vec![status.as_u16()]);
    }
    let (status, answer) = sender.ask(&job.uri, body).await?;
    receipts::codes(status, &answer, count).ok_or(SendFault::NoReceipts)
}

impl State {
    /// The numbers of the changes of the next request; none at the end.
    async fn next(&self) -> Option<Range<u64>> {
        let batch = self.job.layout.batch;
        if let Some(due) = &self.due {
            // A request has at most 1,000 changes.
            due.acquire_many(batch as u32).await.ok()?.forget();
        }
        let (number, max) = (self.next.get(), changes_max(&self.job));
        if number >= max || self.is_over(Instant::now()) {
            return None;
        }
        let end = max.min(number + batch as u64);
        self.next.set(end);
        Some(number..end)
    }

    /// When a change was due that is sent now.
    fn due(&self, number: u64, now: Instant) -> Instant {
        match self.job.pace {
            Pace::Answered => now,
            Pace::PerSecond(rate) => self.start + due_after(number, rate),
        }
    }

    fn is_over(&self, now: Instant) -> bool {
        let grace = match self.job.pace {
            Pace::Answered => Duration::ZERO,
            Pace::PerSecond(_) => BEHIND,
        };
        match self.job.until {
            Until::Elapsed(limit) => now.duration_since(self.start) >= limit + grace,
            Until::Changes(_) => false,
        }
    }

    fn note(&self, numbers: Range<u64>, sent: Instant, result: &Result<Vec<u16>, SendFault>) {
        let mut outcome = self.outcome.borrow_mut();
        let codes = match result {
            Ok(codes) => codes,
            Err(fault) => {
                let refused = outcome.refusals.entry(fault.to_string()).or_default();
                *refused += numbers.end - numbers.start;
                return;
            }
        };
        let (now, before) = (Instant::now(), outcome.accepted.count());
        for (number, code) in numbers.zip(codes) {
            if *code == StatusCode::OK.as_u16() {
                let latency = now.duration_since(self.due(number, sent));
                outcome.accepted.insert(number);
                outcome.latencies.record(latency);
            } else {
                *outcome.refusals.entry(code.to_string()).or_default() += 1;
            }
        }
        let accepted = outcome.accepted.count() - before;
        self.job.progress.fetch_add(accepted, Ordering::Relaxed);
    }

    fn unsent(&self) -> u64 {
        match self.job.pace {
            Pace::Answered => 0,
            Pace::PerSecond(_) => changes_max(&self.job).saturating_sub(self.next.get()),
        }
    }
}

/// How many changes there are at most; in an open loop, exactly.
fn changes_max(job: &Job) -> u64 {
    let changes = match (job.until, job.pace) {
        (Until::Changes(changes), _) => changes,
        (Until::Elapsed(limit), Pace::PerSecond(rate)) => {
            (limit.as_secs_f64() * rate as f64) as u64
        }
        (Until::Elapsed(_), Pace::Answered) => CHANGES_MAX,
    };
    changes.min(CHANGES_MAX)
}

fn due_after(number: u64, rate: u64) -> Duration {
    Duration::from_secs_f64(number as f64 / rate as f64)
}

/// Lets changes go when they are due, from a thread of its own: the event loop's timer is no finer than a
/// millisecond, which would be most of the latency that is measured.
fn start_pacer(start: Instant, rate: u64, job: &Job) -> Result<Arc<Semaphore>> {
    let due = Arc::new(Semaphore::new(0));
    let (permits, changes) = (due.clone(), changes_max(job));
    let rest = (job.connections + 1) * job.layout.batch;
    let pacer = std::thread::Builder::new().name("pacer".to_owned());
    pacer.spawn(move || {
        let mut released = 0;
        // It ends with the semaphore's other owner, or when all are released.
        while released < changes && Arc::strong_count(&permits) > 1 {
            let passed = start.elapsed();
            let reached = (passed.as_secs_f64() * rate as f64) as u64 + 1;
            let reached = reached.min(changes);
            permits.add_permits((reached - released) as usize);
            released = reached;
            let pause = due_after(released, rate).saturating_sub(start.elapsed());
            std::thread::sleep(pause.max(PACER_PAUSE));
        }
        // A request's for the last changes, which may be fewer than a batch, and for each connection that
        // then waits, to see that it is over.
        permits.add_permits(rest);
    })?;
    Ok(due)
}
