//! What is measured: the flags of `postrider load`, and the plan that they come to.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

/// Most changes of one phase: the tool remembers each, a bit per subscription.
pub const CHANGES_MAX: u64 = 10_000_000;
/// Most subscriptions of a run, so that those bits stay below 1.3 GB.
const SUBSCRIPTIONS_MAX: usize = 1_000;
/// Most dead subscriptions of a run: each needs a few files of the server and of this tool.
const DEAD_MAX: usize = 20_000;
/// Most subscriptions of an integration (API, webhook_out_subs/create).
const OF_INTEGRATION_MAX: usize = 1_000;
/// Longest phase in seconds: this is a benchmark, no soak test.
const SECONDS_MAX: u64 = 3_600;
/// Largest body of a change in bytes: what 49 entries of an order's metadata hold.
const BYTES_MAX: usize = 24_000;
/// Most connections of the producer.
const CONNECTIONS_MAX: usize = 4_096;

/// Measures a running server with a bounded load, and checks every delivery.
#[derive(Clone, Debug, Args)]
pub struct LoadArgs {
    /// Address of the server to measure.
    #[arg(long, value_name = "URL", conflicts_with = "own", requires = "token")]
    pub url: Option<String>,
    /// Token of an application that may do all.
    #[arg(long, value_name = "TOKEN", conflicts_with = "own", requires = "url")]
    pub token: Option<String>,
    /// Start a server of one's own, on a throw-away data folder.
    #[arg(long = "self")]
    pub own: bool,
    /// Folder in which the throw-away data folder is made; name one on the disk that matters, for the
    /// default may be in memory [default: that for temporary files].
    #[arg(long, value_name = "DIR", requires = "own")]
    pub scratch: Option<PathBuf>,
    /// Process of the server, to report its memory and processor time.
    #[arg(long, value_name = "PID", conflicts_with = "own")]
    pub pid: Option<u32>,
    /// Measure a server, or receive at an address, beyond this machine.
    #[arg(long)]
    pub allow_remote: bool,
    /// Where deliveries are received; the server must be allowed to reach it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub receiver: SocketAddr,
    /// Connections of the producer, each with one request at a time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub connections: usize,
    /// Changes a second, whether answered or not; latencies count from the moment each was due.
    /// Without it, each connection sends the next change once the last is answered.
    #[arg(long, value_name = "N")]
    pub rate: Option<u64>,
    /// How long changes are sent.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        conflicts_with = "changes"
    )]
    pub seconds: u64,
    /// How many changes are sent, in place of a time.
    #[arg(long, value_name = "N")]
    pub changes: Option<u64>,
    /// Size of a change's body in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 1_024)]
    pub bytes: usize,
    /// Report changes of so many orders in turn, and check their sequence; otherwise each change is of
    /// an order of its own.
    #[arg(long, value_name = "N")]
    pub orders: Option<u64>,
    /// Integrations, which take changes in turn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub integrations: usize,
    /// Subscriptions of each integration: so many deliveries make a change.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub subscriptions: usize,
    /// Further subscriptions, spread over the integrations, whose receiver never answers.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub dead: usize,
    /// Changes a second, of orders of their own, that only the dead subscriptions take; without it, they
    /// take every change.
    #[arg(long, value_name = "N", conflicts_with = "changes")]
    pub dead_rate: Option<u64>,
    /// Measure without the dead subscriptions first, then while they answer, then while they do not.
    #[arg(long)]
    pub compare_dead: bool,
    /// How long the last deliveries are waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub drain: u64,
    /// How long the yardstick is measured; 0 leaves it out.
    #[arg(long, value_name = "SECONDS", default_value_t = 3)]
    pub yardstick: u64,
    /// Report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// When a phase ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After this many changes.
    Changes(u64),
}

/// When the next change is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Once the connection's last one is answered (closed loop).
    Answered,
    /// So many a second, answered or not (open loop).
    PerSecond(u64),
}

/// Which orders the changes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Orders {
    /// Each change is the first of an order of its own.
    OneEach,
    /// So many orders in turn.
    Cycled(u64),
}

/// What is measured, within bounds.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Connections of the producer.
    pub connections: usize,
    /// When the next change is sent.
    pub pace: Pace,
    /// When a phase ends.
    pub until: Until,
    /// Size of a change's body.
    pub bytes: usize,
    /// Which orders the changes are of.
    pub orders: Orders,
    /// How many integrations there are.
    pub integrations: usize,
    /// Subscriptions of each integration that are answered.
    pub subscriptions: usize,
    /// Subscriptions in all that are never answered.
    pub dead: usize,
    /// Changes a second that only those take; none: they take every change.
    pub dead_rate: Option<u64>,
    /// Whether a phase without the dead ones comes first.
    pub compare_dead: bool,
    /// How long the last deliveries are waited for.
    pub drain: Duration,
    /// How long the yardstick is measured, if it is.
    pub yardstick: Option<Duration>,
    /// Where deliveries are received.
    pub receiver: SocketAddr,
}

impl Plan {
    /// The plan that the flags come to.
    ///
    /// # Errors
    /// A number out of its bounds, or a receiver beyond this machine that was not allowed.
    pub fn new(args: &LoadArgs) -> Result<Plan> {
        within(
            "connections",
            args.connections as u64,
            1,
            CONNECTIONS_MAX as u64,
        )?;
        within("rate", args.rate.unwrap_or(1), 1, 1_000_000)?;
        within("dead-rate", args.dead_rate.unwrap_or(1), 1, 1_000_000)?;
        within("seconds", args.seconds, 1, SECONDS_MAX)?;
        within("changes", args.changes.unwrap_or(1), 1, CHANGES_MAX)?;
        within("bytes", args.bytes as u64, 1, BYTES_MAX as u64)?;
        within("orders", args.orders.unwrap_or(1), 1, CHANGES_MAX)?;
        within("integrations", args.integrations as u64, 1, 1_000)?;
        within("subscriptions", args.subscriptions as u64, 1, 1_000)?;
        within("drain", args.drain, 0, SECONDS_MAX)?;
        within("yardstick", args.yardstick, 0, 60)?;
        if (args.compare_dead || args.dead_rate.is_some()) && args.dead == 0 {
            bail!(
                "--compare-dead and --dead-rate need dead subscriptions; say how many with --dead"
            );
        }
        if args.receiver.ip().is_unspecified() {
            bail!(
                "--receiver {} is every address; name the one that the server reaches",
                args.receiver
            );
        }
        let all = args.integrations * args.subscriptions;
        if all > SUBSCRIPTIONS_MAX || args.dead > DEAD_MAX {
            bail!(
                "{all} subscriptions (--integrations times --subscriptions) and {} dead ones are too \
                 many; have at most {SUBSCRIPTIONS_MAX} and {DEAD_MAX}",
                args.dead
            );
        }
        let of_one = args.subscriptions + args.dead.div_ceil(args.integrations);
        if of_one > OF_INTEGRATION_MAX {
            bail!(
                "an integration has at most {OF_INTEGRATION_MAX} subscriptions, and this would make {of_one}; \
                 spread them over more with --integrations"
            );
        }
        if !args.receiver.ip().is_loopback() && !args.allow_remote {
            bail!(
                "--receiver {} is not on this machine's loopback; add --allow-remote if that is meant",
                args.receiver
            );
        }
        Ok(Plan {
            connections: args.connections,
            pace: args.rate.map_or(Pace::Answered, Pace::PerSecond),
            until: match args.changes {
                Some(changes) => Until::Changes(changes),
                None => Until::Elapsed(Duration::from_secs(args.seconds)),
            },
            bytes: args.bytes,
            orders: args.orders.map_or(Orders::OneEach, Orders::Cycled),
            integrations: args.integrations,
            subscriptions: args.subscriptions,
            dead: args.dead,
            dead_rate: args.dead_rate,
            compare_dead: args.compare_dead,
            drain: Duration::from_secs(args.drain),
            yardstick: (args.yardstick > 0).then(|| Duration::from_secs(args.yardstick)),
            receiver: args.receiver,
        })
    }
}

fn within(flag: &str, value: u64, min: u64, max: u64) -> Result<()> {
    if !(min..=max).contains(&value) {
        bail!("--{flag} {value} is out of bounds; use {min} to {max}");
    }
    Ok(())
}
