//! `postrider doctor`: whether this machine, its configuration and its store are fit to serve, in plain words, each with the remedy.
//! Nothing is changed by it, and it may run beside a server.

use clap::Args;
use serde::Serialize;

use super::print;
use crate::config::{Config, ConfigArgs};

mod machine;
mod store;
mod ways;

/// How to look.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// It works, but not as well, or not for long.
    Warning,
    /// A server would not start, or lose what it says it keeps.
    Failed,
}

/// What was looked at, and what came of it.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Finding {
    about: &'static str,
    state: State,
    found: String,
    remedy: Option<String>,
}

impl Finding {
    fn ok(about: &'static str, found: impl Into<String>) -> Finding {
        Finding {
            about,
            state: State::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    fn warning(
        about: &'static str,
        found: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Finding {
        Finding {
            about,
            state: State::Warning,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn failed(about: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding {
            state: State::Failed,
            ..Finding::warning(about, found, remedy)
        }
    }
}

/// Runs the command; whether nothing has failed.
///
/// # Errors
/// The findings cannot be printed.
pub fn run(args: DoctorArgs) -> anyhow::Result<bool> {
    let findings = match Config::new(args.config.with_surroundings()) {
        Err(fault) => vec![Finding::failed(
            "configuration",
            fault.to_string(),
            "mend that first; the rest was not looked at",
        )],
        Ok(config) => {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()?;
            runtime.block_on(look(&config))
        }
    };
    if args.json {
        print(&serde_json::to_string(&findings)?)?;
    } else {
        print(&as_text(&findings))?;
    }
    Ok(count(&findings, State::Failed) == 0)
}

async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::ok(
        "configuration",
        "understood; `postrider config print` shows it",
    )];
    findings.extend(machine::look(config).await);
    let (store, mut of_store) = store::look(config).await;
    findings.append(&mut of_store);
    findings.extend(ways::mails(config).await);
    findings.extend(ways::callbacks(config, store.as_deref()).await);
    if let Some(store) = store {
        store.close().await;
    }
    findings
}

fn count(findings: &[Finding], state: State) -> usize {
    let of = findings.iter().filter(|finding| finding.state == state);
    of.count()
}

fn as_text(findings: &[Finding]) -> String {
    let widths = findings.iter().map(|finding| finding.about.len());
    let width = widths.max().unwrap_or_default();
    let mut lines = Vec::new();
    for finding in findings {
        let state = match finding.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Failed => "FAILED",
        };
        lines.push(format!(
            "{state:7}  {:width$}  {}",
            finding.about, finding.found
        ));
        if let Some(remedy) = &finding.remedy {
            lines.push(format!("{:7}  {:width$}  → {remedy}", "", ""));
        }
    }
    let (failed, warnings) = (
        count(findings, State::Failed),
        count(findings, State::Warning),
    );
    lines.push(match (failed, warnings) {
        (0, 0) => "nothing is wrong".to_owned(),
        (0, warnings) => format!("nothing has failed, {warnings} warned of"),
        (failed, warnings) => format!("{failed} failed, {warnings} warned of"),
    });
    lines.join("\n")
}
