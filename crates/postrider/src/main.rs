//! The `postrider` binary: the command line, and what each command starts.

mod clock;
mod command;
mod config;
mod demo;
mod identity;
mod load;
mod logs;
mod mailing;
mod metrics;
mod node;
mod secret_key;
mod serve;
mod signals;
mod wire;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};

use command::application::{self, ApplicationCommand};
use command::backup::{self, BackupArgs};
use command::copy::{self, CopyArgs};
use command::doctor::{self, DoctorArgs};
use command::integration::{self, IntegrationCommand};
use command::migrate::{self, MigrateArgs};
use command::route::{self, RouteCommand};
use command::user::{self, UserCommand};
use command::verify::{self, VerifyArgs};
use config::{Config, ConfigArgs};
use load::LoadArgs;
use node::Node;

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
    /// Accepts changes of orders and delivers them, until it is told to stop.
    Serve {
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Shows the whole main job on a throw-away folder, with a built-in receiver.
    Demo {
        /// End after the last delivery; the exit code says whether all went well.
        #[arg(long)]
        once: bool,
    },
    /// Makes, lists and renews the programs that may call the API.
    #[command(subcommand)]
    Application(ApplicationCommand),
    /// Makes and lists integrations.
    #[command(subcommand)]
    Integration(IntegrationCommand),
    /// Makes users, and links that sign them in.
    #[command(subcommand)]
    User(UserCommand),
    /// Switches services and routes of the API on and off.
    #[command(subcommand)]
    Route(RouteCommand),
    /// Shows the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Prints the API as an OpenAPI 3.1 document.
    Openapi,
    /// Proves that the store holds exactly what it should: each change its jobs, each job something to wait for, each
    /// order its sequence. Prints what is wrong, also beside a running server.
    Verify(VerifyArgs),
    /// Tells whether this machine, its configuration and its store are fit to serve, and what to do where they are not.
    Doctor(DoctorArgs),
    /// Makes the schema of the store, or brings it up to date, without serving it.
    Migrate(MigrateArgs),
    /// Copies the embedded store into a file, beside a running server too, and checks the copy.
    Backup(BackupArgs),
    /// Copies everything to an empty store of the same or the other kind, while no server runs on either, and compares both.
    Copy(CopyArgs),
    /// Measures a running server with a bounded load, and checks every delivery.
    Load(Box<LoadArgs>),
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
    keep_pages_small();
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("postrider: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The allocator asks for pages of 2 MiB, of which thousands of small requests under way would use a part each: a third more
/// memory, for no speed that could be measured. Where the system cannot be told so, nothing is lost but memory.
fn keep_pages_small() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { config } => serve(config)?,
        Command::Demo { once } => runtime()?.block_on(demo::run(once))?,
        Command::Application(command) => application::run(command)?,
        Command::Integration(command) => integration::run(command)?,
        Command::User(command) => user::run(command)?,
        Command::Route(command) => route::run(command)?,
        Command::Config(ConfigCommand::Print { json, config }) => print_config(json, config)?,
        Command::Openapi => print(&api::openapi())?,
        Command::Verify(args) => {
            if !verify::run(args)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Doctor(args) => {
            if !doctor::run(args)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Migrate(args) => migrate::run(args)?,
        Command::Backup(args) => {
            if !backup::run(args)? {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Copy(args) => copy::run(args)?,
        Command::Load(args) => {
            if !load::run(&args)? {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(config: ConfigArgs) -> anyhow::Result<()> {
    let config = Config::new(config.with_surroundings())?;
    logs::start(&config.log);
    runtime()?.block_on(async {
        let stop_requested = signals::stop_requested()?;
        let node = Node::start(&config).await?;
        print(&format!("listening on {}\n", node.url()))?;
        if let Some(url) = node.first_run_url().await? {
            // Nobody may be listening any more; the link is good for nothing else, and must not be logged.
            let told = print(&format!(
                "nobody may sign in yet; begin within the hour at {url}\n"
            ));
            if told.is_err() {
                tracing::warn!("the link of the first run could not be printed");
            }
        }
        tracing::info!(url = node.url(), data = %config.data.display(), "serving");
        stop_requested.await;
        tracing::info!("stopping");
        node.stop().await;
        Ok(())
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    built.context("the system gives no threads")
}

fn print_config(json: bool, config: ConfigArgs) -> anyhow::Result<()> {
    let config = Config::new(config.with_surroundings())?;
    print(&match json {
        true => format!("{:#}\n", config::as_json(&config.gathered)),
        false => config::as_table(&config.gathered),
    })
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.context("standard output cannot be written")
}
