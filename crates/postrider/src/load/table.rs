//! The report as a table: a line a figure, a column a phase.

use std::fmt::Write;

use super::histogram::Quantiles;
use super::report::{Phase, Report, ServerUsage};

/// Width of the names of the figures.
const NAME_WIDTH: usize = 32;
/// Width of a phase's column.
const COLUMN_WIDTH: usize = 22;
/// Stands for a figure that there is none of.
const NONE: &str = "–";

impl Report {
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
                .map_or(NONE.to_owned(), |count| count.to_string())
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
        self.cost_rows(&mut table);
        self.yardstick_rows(&mut table);
        self.start_rows(&mut table);
        self.history_rows(&mut table);
        self.window_rows(&mut table);
        table
    }

    fn server_rows(&self, table: &mut String) {
        if self.phases.iter().all(|phase| phase.server.is_none()) {
            return;
        }
        let figure = |phase: &Phase, figure: fn(ServerUsage) -> String| {
            phase.server.map_or(NONE.to_owned(), figure)
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
            figure(phase, |server| tenths(server.cpu_microseconds_per_delivery))
        });
        self.row(table, "  per change, µs", |phase| {
            figure(phase, |server| tenths(server.cpu_microseconds_per_change))
        });
        self.row(table, "server's writing, B per change", |phase| {
            figure(phase, |server| whole(server.written_bytes_per_change))
        });
    }

    fn cost_rows(&self, table: &mut String) {
        let is_known = |figure: fn(&Phase) -> Option<f64>| {
            self.phases.iter().any(|phase| figure(phase).is_some())
        };
        if is_known(|phase| phase.store_bytes_per_change) {
            self.row(table, "data's growth, B per change", |phase| {
                whole(phase.store_bytes_per_change)
            });
        }
        if is_known(|phase| phase.tool_cpu_microseconds_per_change) {
            self.row(table, "tool's CPU per change, µs", |phase| {
                tenths(phase.tool_cpu_microseconds_per_change)
            });
        }
    }

    fn yardstick_rows(&self, table: &mut String) {
        if let Some(yardstick) = &self.yardstick {
            let rate = rounded(yardstick.requests_per_second);
            self.row(table, "yardstick, requests per second", |_| rate.clone());
            self.row(table, "  deliveries as a share of it", |phase| {
                phase
                    .of_yardstick
                    .map_or(NONE.to_owned(), |share| format!("{:.1} %", share * 100.0))
            });
        }
    }

    fn start_rows(&self, table: &mut String) {
        if let Some(start) = self.start {
            self.row(table, "start to first answer, ms", |_| {
                format!("{:.0}", start.first_answer_ms)
            });
            self.row(table, "idle memory, MiB", |_| {
                start.idle_bytes.map_or(NONE.to_owned(), mebibytes)
            });
        }
    }

    /// What the history cost, below the table.
    fn history_rows(&self, table: &mut String) {
        let Some(history) = &self.history else {
            return;
        };
        // Writing to a string cannot fail.
        if let Some(start) = history.start {
            let (took, idle) = (start.first_answer_ms, start.idle_bytes);
            let idle = idle.map_or(NONE.to_owned(), mebibytes);
            let _ = writeln!(
                table,
                "\nkilled, and started on the history: {took:.0} ms to the first answer, {idle} MiB"
            );
        }
        let _ = writeln!(
            table,
            "\n{:>8}{:>6}  first page of the history by",
            "ms", "jobs"
        );
        for page in &history.first_pages {
            let _ = writeln!(
                table,
                "{:>8.1}{:>6}  {}",
                page.milliseconds, page.jobs, page.asked
            );
        }
    }

    /// The windows of each phase, a line each, below the table.
    fn window_rows(&self, table: &mut String) {
        for phase in self.phases.iter().filter(|phase| !phase.windows.is_empty()) {
            // Writing to a string cannot fail.
            let _ = writeln!(
                table,
                "\n{:>8}{:>12}{:>14}{:>16}{:>22}",
                "window", "seconds", "accepted/s", "deliveries/s", "growth, B per change"
            );
            for (number, window) in (1..).zip(&phase.windows) {
                let _ = writeln!(
                    table,
                    "{number:>8}{:>12.1}{:>14.0}{:>16.0}{:>22}",
                    window.seconds,
                    window.accepted_per_second,
                    window.delivered_per_second,
                    whole(window.store_bytes_per_change)
                );
            }
        }
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
                quantiles(phase).map_or(NONE.to_owned(), |quantiles| {
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

fn whole(figure: Option<f64>) -> String {
    figure.map_or(NONE.to_owned(), rounded)
}

fn tenths(figure: Option<f64>) -> String {
    figure.map_or(NONE.to_owned(), |figure| format!("{figure:.1}"))
}
