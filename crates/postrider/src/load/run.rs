//! A run from its flags to its report.

use std::io::Write;
use std::time::Instant;

use anyhow::{Context, Result};

use super::args::LoadArgs;
use super::child::{Database, OwnServer};
use super::history::{self, History, Place};
use super::ledger::Ledger;
use super::marker::Run;
use super::phase::{Bench, layout};
use super::plan::{Pace, Plan};
use super::receiver::Receiver;
use super::report::{Phase, Report, Yardstick};
use super::setup::Api;
use super::target::Target;

/// Runs `postrider load` and prints its report; whether nothing was lost or out of order.
///
/// # Errors
/// A flag out of bounds, or a server that cannot be started, reached or set up.
pub fn run(args: &LoadArgs) -> Result<bool> {
    let plan = Plan::new(args)?;
    // Each connection is a file; where the limit cannot be raised, connecting fails and is reported.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let mut own = match args.own {
        true => Some(start_own(args, plan.nodes)?),
        false => None,
    };
    let target = match (&own, &args.url, &args.token) {
        (Some(own), ..) => own.target().clone(),
        (None, Some(url), Some(token)) => Target::new(url, token, args.pid, args.allow_remote)?,
        _ => anyhow::bail!("name a server with --url and --token, or start one with --self"),
    };
    let start = own.as_ref().and_then(OwnServer::start_figures);
    let (report, place) = measure(&plan, &target)?;
    let history = place.map(|place| look_back(place, own.as_mut(), target));
    let report = Report {
        start,
        history: history.transpose()?,
        ..report
    };
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => report.table(),
    };
    let written = std::io::stdout().write_all(text.as_bytes());
    written.context("the report cannot be written")?;
    Ok(report.is_sound())
}

fn start_own(args: &LoadArgs, nodes: usize) -> Result<OwnServer> {
    let binary = std::env::current_exe().context("the path of this binary is unknown")?;
    let database_url = args.database_url.as_deref();
    let database = database_url.map(Database::new).transpose()?;
    OwnServer::start(binary, args.scratch.as_deref(), database, nodes)
}

/// What it costs to have a history, once a server of one's own is started on it.
fn look_back(place: Place, own: Option<&mut OwnServer>, target: Target) -> Result<History> {
    let (target, start) = match own {
        Some(own) => {
            own.restart()?;
            (own.target().clone(), own.start_figures())
        }
        None => (target, None),
    };
    let first_pages = place.first_pages(&mut Api::new(&target)?)?;
    Ok(History { start, first_pages })
}

/// Sets the server up and measures each phase of the plan.
///
/// # Errors
/// The server cannot be reached or set up, or the system gives no event loop or thread.
pub fn measure(plan: &Plan, target: &Target) -> Result<(Report, Option<Place>)> {
    let name = format!(
        "{:08x}",
        getrandom::u32().context("the system gives no random bytes")?
    );
    let began = Instant::now();
    let idle = Run::new(&format!("{name}0"));
    let ledger = Ledger::new(layout(plan), false);
    let receiver = Receiver::start(plan.receiver, began, idle.clone(), ledger)?;
    let mut api = Api::new(target)?;
    let integrations = api.create_integrations(&name, plan)?;
    api.create_live(&integrations, plan, &receiver)?;
    let bench = Bench {
        plan,
        target,
        receiver: &receiver,
        integrations: &integrations,
        began,
    };
    let yardstick = match plan.yardstick {
        Some(length) => Some(bench.yardstick(&idle, length)?),
        None => None,
    };
    let (phases, place) = match plan.history {
        0 => (measured(&bench, &name, yardstick.as_ref())?, None),
        jobs => {
            let (phases, place) = around_history(&bench, &name, yardstick.as_ref(), jobs)?;
            (phases, Some(place))
        }
    };
    let report = Report {
        scenario: plan.scenario.name(),
        start: None,
        yardstick,
        phases,
        history: None,
    };
    Ok((report, place))
}

/// The same load on an empty store and on one with a history, with the making of it between them.
fn around_history(
    bench: &Bench<'_>,
    name: &str,
    yardstick: Option<&Yardstick>,
    jobs: u64,
) -> Result<(Vec<Phase>, Place)> {
    let measure =
        |title, run| bench.measure(title, &Run::new(&format!("{name}{run}")), None, yardstick);
    let empty = measure("empty store", "1")?;
    // Not over the first connection: the server may have closed it during a long phase.
    let (place, made) = history::make(bench, &mut Api::new(bench.target)?, name, jobs)?;
    let full = measure("with history", "2")?;
    Ok((vec![empty, made, full], place))
}

/// The phases of the plan, after the one that finds their rate.
fn measured(bench: &Bench<'_>, name: &str, yardstick: Option<&Yardstick>) -> Result<Vec<Phase>> {
    let Some(until) = bench.plan.rehearsal else {
        return phases(bench, name, yardstick);
    };
    let closed = Plan {
        until,
        pace: Pace::Answered,
        windows: 0,
        ..bench.plan.clone()
    };
    let closed = Bench {
        plan: &closed,
        ..*bench
    };
    let run = Run::new(&format!("{name}c"));
    let closed = closed.measure("as fast as it goes", &run, None, yardstick)?;
    let half = (closed.accepted_per_second / 2.0) as u64;
    let open = Plan {
        pace: Pace::PerSecond(half.max(1)),
        ..bench.plan.clone()
    };
    let open = Bench {
        plan: &open,
        ..*bench
    };
    let mut all = vec![closed];
    all.extend(phases(&open, name, yardstick)?);
    Ok(all)
}

/// The phases of the plan: without dead subscriptions, with answering ones in their place, with dead ones.
fn phases(bench: &Bench<'_>, name: &str, yardstick: Option<&Yardstick>) -> Result<Vec<Phase>> {
    let plan = bench.plan;
    let mut phases = Vec::new();
    if plan.dead == 0 || plan.compare_dead {
        let run = Run::new(&format!("{name}1"));
        let title = match plan.rehearsal {
            Some(_) => "half of that rate",
            None => "no dead ones",
        };
        phases.push(bench.measure(title, &run, None, yardstick)?);
    }
    if plan.dead > 0 {
        // Not over the first connection: the server may have closed it during a long phase.
        Api::new(bench.target)?.create_dead(bench.integrations, plan, bench.receiver)?;
    }
    // Whether they answer, and how the phases are called.
    let answering = plan.compare_dead.then_some((true, "that answer"));
    let dead = (plan.dead > 0).then_some((false, "dead ones"));
    for (number, (answer, title)) in answering.into_iter().chain(dead).enumerate() {
        bench.receiver.answer_dead(answer);
        let run = Run::new(&format!("{name}{}", 2 + 2 * number));
        let dead_run = Run::new(&format!("{name}{}", 3 + 2 * number));
        let title = format!("{} {title}", plan.dead);
        phases.push(bench.measure(&title, &run, Some(&dead_run), yardstick)?);
    }
    Ok(phases)
}
