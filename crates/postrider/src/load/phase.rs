//! One phase: changes are sent, deliveries awaited, and both compared.

use std::time::{Duration, Instant};

use anyhow::Result;
use http::{HeaderValue, Uri};

use super::body::{DEAD_STAGE, STAGE, Template};
use super::ledger::{Layout, Ledger};
use super::marker::Run;
use super::plan::{Orders, Pace, Plan, Until};
use super::process::{Usage, usage};
use super::producer::{self, Job, Outcome};
use super::receiver::{Receiver, YARDSTICK_PATH};
use super::report::{Phase, ServerUsage, Yardstick};
use super::target::Target;

/// Where changes are reported.
const CHANGE_PATH: &str = "/api/v1/order_stages/create";
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
            address: receiver,
            host: HeaderValue::from_str(&receiver.to_string())?,
            uri: Uri::from_static(YARDSTICK_PATH),
            pace: Pace::Answered,
            until: Until::Elapsed(length),
            ..self.job(run)
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
        let before = self.target.pid.and_then(usage);
        let outcome = std::thread::scope(|scope| {
            let beside = dead_run.and_then(|run| Some((run, self.plan.dead_rate?)));
            let beside = beside.map(|(run, rate)| {
                let job = self.dead_job(run, rate);
                scope.spawn(|| producer::produce(job))
            });
            let mut outcome = producer::produce(self.job(run))?;
            if let Some(Ok(beside)) = beside.map(std::thread::ScopedJoinHandle::join) {
                for (refusal, count) in beside?.refusals {
                    *outcome.refusals.entry(refusal).or_default() += count;
                }
            }
            anyhow::Ok(outcome)
        })?;
        self.drain(&outcome);
        let after = self.target.pid.and_then(usage);
        let phase = self.receiver.read(|ledger| compare(name, &outcome, ledger));
        Ok(Phase {
            misordered: checks_order.then_some(phase.misordered).flatten(),
            stuck: self.receiver.stuck_max(),
            server: before
                .zip(after)
                .map(|(before, after)| spent(before, after, phase.delivered)),
            of_yardstick: yardstick
                .map(|yardstick| phase.delivered_per_second / yardstick.requests_per_second),
            ..phase
        })
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

    fn job(&self, run: &Run) -> Job {
        let (plan, token) = (self.plan, &self.target.token);
        let template = |id: &i64| Template::new(run, STAGE, token, *id, plan.orders, plan.bytes);
        Job {
            address: self.target.address,
            host: self.target.host.clone(),
            uri: Uri::from_static(CHANGE_PATH),
            templates: self.integrations.iter().map(template).collect(),
            layout: layout(plan),
            connections: plan.connections,
            pace: plan.pace,
            until: plan.until,
            began: self.began,
        }
    }

    fn dead_job(&self, run: &Run, rate: u64) -> Job {
        let (plan, token) = (self.plan, &self.target.token);
        let template =
            |id: &i64| Template::new(run, DEAD_STAGE, token, *id, Orders::OneEach, plan.bytes);
        Job {
            templates: self.integrations.iter().map(template).collect(),
            pace: Pace::PerSecond(rate),
            ..self.job(run)
        }
    }
}

/// Which subscription belongs to which integration.
pub fn layout(plan: &Plan) -> Layout {
    Layout {
        integrations: plan.integrations,
        subscriptions: plan.subscriptions,
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
        of_yardstick: None,
    }
}

fn spent(before: Usage, after: Usage, delivered: u64) -> ServerUsage {
    let cpu_seconds = after.cpu_seconds - before.cpu_seconds;
    ServerUsage {
        before_bytes: before.resident_bytes,
        peak_bytes: after.peak_bytes,
        cpu_seconds,
        cpu_microseconds_per_delivery: (delivered > 0)
            .then(|| cpu_seconds * 1e6 / delivered as f64),
    }
}

fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        return 0.0;
    }
    count as f64 / time.as_secs_f64()
}
