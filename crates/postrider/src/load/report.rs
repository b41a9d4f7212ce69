//! What a run found, as a table for people and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;

use super::histogram::Quantiles;

/// Width of the names of the figures.
const NAME_WIDTH: usize = 32;
/// Width of a phase's column.
const COLUMN_WIDTH: usize = 22;

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What machine and tool can do without the server.
    pub yardstick: Option<Yardstick>,
    /// The phases, in the order in which they were measured.
    pub phases: Vec<Phase>,
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
}

impl Report {
    /// Whether something was accepted, nothing lost and nothing out of order.
    pub fn is_sound(&self) -> bool {
        self.phases.iter().all(|phase| {
            phase.accepted > 0 && phase.lost == 0 && phase.misordered.unwrap_or_default() == 0
        })
    }

    /// The table.
    pub fn table(&self) -> String {
        let mut table = String::new();
        if self.phases.len() > 1 {
            self.row(&mut table, "", |phase| phase.name.clone());
        }
        self.row(&mut table, "accepted changes", |phase| {
            phase.accepted.to_string()
        });
        self.row(&mut table, "  per second", |phase| {
            rounded(phase.accepted_per_second)
        });
        self.quantile_rows(&mut table, "  sent to answered, ms", |phase| {
            phase.accept_ms
        });
        self.row(&mut table, "deliveries", |phase| {
            phase.delivered.to_string()
        });
        self.row(&mut table, "  per second", |phase| {
            rounded(phase.delivered_per_second)
        });
        self.quantile_rows(&mut table, "  sent to received, ms", |phase| {
            phase.delivery_ms
        });
        self.row(&mut table, "lost", |phase| phase.lost.to_string());
        self.row(&mut table, "duplicates", |phase| {
            phase.duplicates.to_string()
        });
        self.row(&mut table, "misordered", |phase| {
            phase
                .misordered
                .map_or("–".to_owned(), |count| count.to_string())
        });
        self.row(&mut table, "unknown deliveries", |phase| {
            phase.unknown.to_string()
        });
        self.row(&mut table, "due but not sent", |phase| {
            phase.unsent.to_string()
        });
        if self.phases.iter().any(|phase| phase.stuck > 0) {
            self.row(&mut table, "most requests stuck at once", |phase| {
                phase.stuck.to_string()
            });
        }
        for refusal in self.refusals() {
            let name = format!("answered {refusal}");
            self.row(&mut table, &name, |phase| {
                phase
                    .refusals
                    .get(refusal)
                    .copied()
                    .unwrap_or_default()
                    .to_string()
            });
        }
        self.server_rows(&mut table);
        if let Some(yardstick) = &self.yardstick {
            let rate = rounded(yardstick.requests_per_second);
            self.row(&mut table, "yardstick, requests per second", |_| {
                rate.clone()
            });
            self.row(&mut table, "  deliveries as a share of it", |phase| {
                phase
                    .of_yardstick
                    .map_or("–".to_owned(), |share| format!("{:.1} %", share * 100.0))
            });
        }
        table
    }

    fn server_rows(&self, table: &mut String) {
        if self.phases.iter().all(|phase| phase.server.is_none()) {
            return;
        }
        let figure = |phase: &Phase, figure: fn(ServerUsage) -> String| {
            phase.server.map_or("–".to_owned(), figure)
        };
        self.row(table, "server's memory before, MiB", |phase| {
            figure(phase, |server| mebibytes(server.before_bytes))
        });
        self.row(table, "server's peak memory, MiB", |phase| {
            figure(phase, |server| mebibytes(server.peak_bytes))
        });
        self.row(table, "server's CPU, s", |phase| {
            figure(phase, |server| format!("{:.2}", server.cpu_seconds))
        });
        self.row(table, "  per delivery, µs", |phase| {
            figure(phase, |server| {
                let figure = server.cpu_microseconds_per_delivery;
                figure.map_or("–".to_owned(), |figure| format!("{figure:.1}"))
            })
        });
    }

    fn quantile_rows(
        &self,
        table: &mut String,
        name: &str,
        quantiles: fn(&Phase) -> Option<Quantiles>,
    ) {
        // All phases have the same figures in the same order; one without any shows dashes.
        let Some(named) = self.phases.iter().find_map(quantiles).map(Quantiles::named) else {
            return;
        };
        for (index, (figure, _)) in named.into_iter().enumerate() {
            self.row(table, &format!("{name}, {figure}"), |phase| {
                quantiles(phase).map_or("–".to_owned(), |quantiles| {
                    let (_, value) = quantiles.named()[index];
                    format!("{value:.2}")
                })
            });
        }
    }

    fn row(&self, table: &mut String, name: &str, figure: impl Fn(&Phase) -> String) {
        // Writing to a string cannot fail.
        let _ = write!(table, "{name:NAME_WIDTH$}");
        for phase in &self.phases {
            let _ = write!(table, "{:>COLUMN_WIDTH$}", figure(phase));
        }
        table.push('\n');
    }

    fn refusals(&self) -> Vec<&String> {
        let all = self.phases.iter().flat_map(|phase| phase.refusals.keys());
        let mut all: Vec<&String> = all.collect();
        all.sort();
        all.dedup();
        all
    }
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / f64::from(1 << 20))
}

fn rounded(figure: f64) -> String {
    format!("{figure:.0}")
}
