//! One phase: changes are sent, deliveries awaited, and both compared.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use http::{HeaderValue, Uri};

use super::body::{DEAD_STAGE, Reporter, STAGE, Template};
use super::disk::folder_bytes;
use super::ledger::{Layout, Ledger};
use super::marker::Run;
use super::plan::{Orders, Pace, Plan, Until};
use super::process::{Usage, usage};
use super::producer::{self, Job, Outcome};
use super::receiver::{Receiver, YARDSTICK_PATH};
use super::report::{Phase, ServerUsage, Yardstick};
use super::target::{Node, Target};
use super::windows::{self, Sight, Window};

/// Where changes are reported, each by itself.
const CHANGE_PATH: &str = "/api/v1/order_stages/create";
/// Where several are.
const BATCH_PATH: &str = "/api/v1/order_stages/create_many";
/// How often it is looked whether all deliveries have come.
const LOOK_PAUSE: Duration = Duration::from_millis(10);

/// What all phases of a run have in common.
pub struct Bench<'a> {
    /// What is measured.
    pub plan: &'a Plan,
    /// Whom.
    pub target: &'a Target,
    /// Where deliveries come.
    pub receiver: &'a Receiver,
    /// The integrations that changes go to in turn.
    pub integrations: &'a [i64],
    /// What times are counted from.
    pub began: Instant,
}

impl Bench<'_> {
    /// Measures how fast the producer is straight to the receiver.
    ///
    /// # Errors
    /// The system gives no event loop.
    pub fn yardstick(&self, run: &Run, length: Duration) -> Result<Yardstick> {
        let receiver = self.receiver.address();
        let outcome = producer::produce(Job {
            nodes: vec![Node {
                address: receiver,
                host: HeaderValue::from_str(&receiver.to_string())?,
                pid: None,
            }],
            uri: Uri::from_static(YARDSTICK_PATH),
            pace: Pace::Answered,
            until: Until::Elapsed(length),
            ..self.job(run, STAGE, self.plan.orders, 1)
        })?;
        Ok(Yardstick {
            requests_per_second: per_second(outcome.accepted.count(), outcome.elapsed),
            latency_ms: outcome.latencies.quantiles(),
        })
    }

    /// Measures the server; `dead_run` names the changes that only dead subscriptions take.
    ///
    /// # Errors
    /// The system gives no event loop.
    pub fn measure(
        &self,
        name: &str,
        run: &Run,
        dead_run: Option<&Run>,
        yardstick: Option<&Yardstick>,
    ) -> Result<Phase> {
        let layout = layout(self.plan);
        let checks_order = self.plan.orders != Orders::OneEach;
        self.receiver
            .begin(run.clone(), Ledger::new(layout, checks_order));
        let before = self.spending();
        let (outcome, windows) = self.send(run, dead_run)?;
        self.drain(&outcome);
        let after = self.spending();
        let phase = self.receiver.read(|ledger| compare(name, &outcome, ledger));
        let server = before.server.zip(after.server);
        let tool = before.tool.zip(after.tool);
        let store = before.store_bytes.zip(after.store_bytes);
        Ok(Phase {
            misordered: checks_order.then_some(phase.misordered).flatten(),
            stuck: self.receiver.stuck_max(),
            server: server.map(|(before, after)| spent(before, after, &phase)),
            tool_cpu_microseconds_per_change: tool
                .and_then(|(before, after)| share(microseconds(before, after), phase.accepted)),
            store_bytes_per_change: store
                .and_then(|(before, after)| share(after as f64 - before as f64, phase.accepted)),
            windows,
            of_yardstick: yardstick
                .map(|yardstick| phase.delivered_per_second / yardstick.requests_per_second),
            ..phase
        })
    }

    /// Sends all changes, those of the dead subscriptions beside the others, and looks on where windows
    /// are wanted.
    fn send(&self, run: &Run, dead_run: Option<&Run>) -> Result<(Outcome, Vec<Window>)> {
        let (plan, done) = (self.plan, &AtomicBool::new(false));
        let job = self.job(run, STAGE, plan.orders, plan.batch);
        let progress = job.progress.clone();
        std::thread::scope(|scope| {
            let beside = dead_run.and_then(|run| Some((run, plan.dead_rate?)));
            let beside = beside.map(|(run, rate)| {
                let job = Job {
                    pace: Pace::PerSecond(rate),
                    ..self.job(run, DEAD_STAGE, Orders::OneEach, 1)
                };
                scope.spawn(|| producer::produce(job))
            });
            let watching = (plan.windows > 0).then(|| {
                let began = Instant::now();
                let look = move || self.look(began.elapsed(), &progress);
                let first = look();
                scope.spawn(move || windows::watch(plan.windows, plan.until, done, first, look))
            });
            let outcome = producer::produce(job);
            done.store(true, Ordering::Release);
            let mut outcome = outcome?;
            if let Some(Ok(beside)) = beside.map(std::thread::ScopedJoinHandle::join) {
                for (refusal, count) in beside?.refusals {
                    *outcome.refusals.entry(refusal).or_default() += count;
                }
            }
            let windows = watching.and_then(|watching| watching.join().ok());
            Ok((outcome, windows.unwrap_or_default()))
        })
    }

    fn look(&self, at: Duration, progress: &AtomicU64) -> Sight {
        Sight {
            at,
            accepted: progress.load(Ordering::Relaxed),
            delivered: self.receiver.read(|ledger| ledger.tally().delivered),
            store_bytes: self.target.folder.as_deref().map(folder_bytes),
        }
    }

    fn spending(&self) -> Spending {
        Spending {
            server: self.server_usage(),
            tool: usage(std::process::id()),
            store_bytes: self.target.folder.as_deref().map(folder_bytes),
        }
    }

    /// What all nodes have used together; none where one of them is not told.
    fn server_usage(&self) -> Option<Usage> {
        let mut nodes = self.target.nodes().map(|node| usage(node.pid?));
        let first = nodes.next()??;
        nodes.try_fold(first, |sum, next| Some(sum + next?))
    }

    /// Waits until all that was accepted is delivered, or the plan's patience ends.
    fn drain(&self, outcome: &Outcome) {
        let deadline = Instant::now() + self.plan.drain;
        while self
            .receiver
            .read(|ledger| ledger.missing(&outcome.accepted))
            > 0
            && Instant::now() < deadline
        {
            std::thread::sleep(LOOK_PAUSE);
        }
    }

    fn job(&self, run: &Run, stage: &str, orders: Orders, batch: usize) -> Job {
        let plan = self.plan;
        let template = |id: &i64| {
            let reporter = Reporter {
                token: &self.target.token,
                integration_id: *id,
                batch,
            };
            Template::new(run, stage, reporter, orders, plan.bytes)
        };
        Job {
            nodes: self.target.nodes().cloned().collect(),
            uri: Uri::from_static(if batch == 1 { CHANGE_PATH } else { BATCH_PATH }),
            templates: self.integrations.iter().map(template).collect(),
            layout: Layout {
                batch,
                ..layout(plan)
            },
            connections: plan.connections,
            pace: plan.pace,
            until: plan.until,
            began: self.began,
            progress: Arc::default(),
        }
    }
}

/// What was used until a moment.
struct Spending {
    server: Option<Usage>,
    tool: Option<Usage>,
    store_bytes: Option<u64>,
}

/// Which subscription belongs to which integration.
pub fn layout(plan: &Plan) -> Layout {
    Layout {
        integrations: plan.integrations,
        subscriptions: plan.subscriptions,
        batch: plan.batch,
    }
}

fn compare(name: &str, outcome: &Outcome, ledger: &Ledger) -> Phase {
    let tally = ledger.tally();
    let delivering = ledger.last().saturating_sub(outcome.started);
    Phase {
        name: name.to_owned(),
        accepted: outcome.accepted.count(),
        accepted_per_second: per_second(outcome.accepted.count(), outcome.elapsed),
        accept_ms: outcome.latencies.quantiles(),
        refusals: outcome.refusals.clone(),
        unsent: outcome.unsent,
        expected: outcome.accepted.deliveries(),
        delivered: tally.delivered,
        delivered_per_second: per_second(tally.delivered, delivering),
        delivery_ms: ledger.latencies().quantiles(),
        lost: ledger.lost(&outcome.accepted),
        duplicates: tally.duplicates,
        misordered: Some(tally.misordered),
        unknown: tally.unknown,
        stuck: 0,
        server: None,
        tool_cpu_microseconds_per_change: None,
        store_bytes_per_change: None,
        windows: Vec::new(),
        of_yardstick: None,
    }
}

fn spent(before: Usage, after: Usage, phase: &Phase) -> ServerUsage {
    let written = before.written_bytes.zip(after.written_bytes);
    let microseconds = microseconds(before, after);
    ServerUsage {
        before_bytes: before.resident_bytes,
        peak_bytes: after.peak_bytes,
        cpu_seconds: after.cpu_seconds - before.cpu_seconds,
        cpu_microseconds_per_delivery: share(microseconds, phase.delivered),
        cpu_microseconds_per_change: share(microseconds, phase.accepted),
        written_bytes_per_change: written
            .and_then(|(before, after)| share((after - before) as f64, phase.accepted)),
    }
}

/// Processor time between two moments.
fn microseconds(before: Usage, after: Usage) -> f64 {
    (after.cpu_seconds - before.cpu_seconds) * 1e6
}

fn share(amount: f64, count: u64) -> Option<f64> {
    (count > 0).then(|| amount / count as f64)
}

fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        return 0.0;
    }
    count as f64 / time.as_secs_f64()
}
