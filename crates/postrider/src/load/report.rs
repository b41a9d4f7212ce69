//! What a run found, as JSON has it; [`super::table`] shows it to people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::histogram::Quantiles;
use super::history::History;
use super::windows::Window;

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The name of what set the numbers that no flag set.
    pub scenario: String,
    /// How the tool's own server started.
    pub start: Option<Start>,
    /// What machine and tool can do without the server.
    pub yardstick: Option<Yardstick>,
    /// The phases, in the order in which they were measured.
    pub phases: Vec<Phase>,
    /// What the history cost, where there was one.
    pub history: Option<History>,
}

/// A server's start.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Start {
    /// From starting the process to the end of its first answer.
    pub first_answer_ms: f64,
    /// Resident memory a moment later, before anything else was asked.
    pub idle_bytes: Option<u64>,
}

/// The producer straight to the receiver.
#[derive(Clone, Debug, Serialize)]
pub struct Yardstick {
    /// Answered requests.
    pub requests_per_second: f64,
    /// From sending to the end of the answer.
    pub latency_ms: Option<Quantiles>,
}

/// One phase.
#[derive(Clone, Debug, Serialize)]
pub struct Phase {
    /// What is particular to it.
    pub name: String,
    /// Changes that the server accepted.
    pub accepted: u64,
    /// The same, by the time until the last answer.
    pub accepted_per_second: f64,
    /// From sending a change (open loop: from when it was due) to the end of the answer.
    pub accept_ms: Option<Quantiles>,
    /// Answers other than 200, and failures, by status or fault.
    pub refusals: BTreeMap<String, u64>,
    /// Changes that were due and not sent, since all connections were busy.
    pub unsent: u64,
    /// Deliveries that the accepted changes make.
    pub expected: u64,
    /// Deliveries that came, duplicates left out.
    pub delivered: u64,
    /// The same, by the time until the last one.
    pub delivered_per_second: f64,
    /// From sending a change (open loop: from when it was due) to its receipt by the subscriber.
    pub delivery_ms: Option<Quantiles>,
    /// Deliveries of accepted changes that did not come.
    pub lost: u64,
    /// Deliveries that came again.
    pub duplicates: u64,
    /// First deliveries after one of a later stage of the same order; none where no order had two.
    pub misordered: Option<u64>,
    /// Deliveries that no change of the phase was found in.
    pub unknown: u64,
    /// The most requests at once that dead receivers held without an answer.
    pub stuck: u64,
    /// What the server used, where its process is known.
    pub server: Option<ServerUsage>,
    /// Processor time of this tool for each accepted change, its receiver included.
    pub tool_cpu_microseconds_per_change: Option<f64>,
    /// By how much the server's data grew for each accepted change, where their folder is known. The log of
    /// the database is left out, so that the last changes may be missing: some percent of a run of 10 s.
    pub store_bytes_per_change: Option<f64>,
    /// The phase in parts, if that was asked for.
    pub windows: Vec<Window>,
    /// Deliveries a second as a share of the yardstick's requests.
    pub of_yardstick: Option<f64>,
}

/// What the server used in a phase.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ServerUsage {
    /// Resident memory when the phase began.
    pub before_bytes: u64,
    /// Largest resident memory since it started.
    pub peak_bytes: u64,
    /// Processor time.
    pub cpu_seconds: f64,
    /// The same for each delivery, accepting the changes included; none where nothing was delivered.
    pub cpu_microseconds_per_delivery: Option<f64>,
    /// Processor time for each accepted change, its deliveries included.
    pub cpu_microseconds_per_change: Option<f64>,
    /// What it made the system write to a disk for each accepted change.
    pub written_bytes_per_change: Option<f64>,
}

impl Report {
    /// Whether something was accepted, nothing lost and nothing out of order.
    pub fn is_sound(&self) -> bool {
        self.phases.iter().all(|phase| {
            phase.accepted > 0 && phase.lost == 0 && phase.misordered.unwrap_or_default() == 0
        })
    }
}
