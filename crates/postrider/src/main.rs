//! The `postrider` binary: the command line, and what each command starts.

mod config;
mod load;
mod logs;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use config::{Config, ConfigArgs};
use load::LoadArgs;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Tells an order system's partners what happened to their orders: durably, signed and in order.
#[derive(Debug, Parser)]
#[command(name = "postrider", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Measures a running server with a bounded load, and checks every delivery.
    Load(LoadArgs),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Prints every setting, its value, and where that comes from; secrets are masked.
    Print {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("postrider: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Config(ConfigCommand::Print { json, config }) => print_config(json, config),
        Command::Load(args) => match load::run(&args)? {
            true => Ok(ExitCode::SUCCESS),
            false => Ok(ExitCode::FAILURE),
        },
    }
}

fn print_config(json: bool, config: ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = Config::new(config.with_surroundings())?;
    let text = match json {
        true => format!("{:#}\n", config::as_json(&config.gathered)),
        false => config::as_table(&config.gathered),
    };
    let written = std::io::stdout().write_all(text.as_bytes());
    written.context("the configuration cannot be written")?;
    Ok(ExitCode::SUCCESS)
}
