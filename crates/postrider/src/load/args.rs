//! The flags of `postrider load`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::scenario::Scenario;

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
    /// PostgreSQL on which the server keeps its data, as in `postrider serve`: an empty database of it.
    #[arg(long, value_name = "URL", requires = "own")]
    pub database_url: Option<String>,
    /// Servers on that database, over which the producer's connections are spread [default: 1].
    #[arg(long, value_name = "N", requires = "database_url")]
    pub nodes: Option<usize>,
    /// Process of the server, to report its memory, processor time and writing.
    #[arg(long, value_name = "PID", conflicts_with = "own")]
    pub pid: Option<u32>,
    /// Measure a server, or receive at an address, beyond this machine.
    #[arg(long)]
    pub allow_remote: bool,
    /// Where deliveries are received; the server must be allowed to reach it.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub receiver: SocketAddr,
    /// A load with a name: sets the numbers that no other flag sets.
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    pub scenario: Scenario,
    /// Connections of the producer, each with one request at a time [default: 64; batch: 8].
    #[arg(long, value_name = "N")]
    pub connections: Option<usize>,
    /// Changes of one request: more than one go to order_stages/create_many [default: 1; batch: 100].
    #[arg(long, value_name = "N")]
    pub batch: Option<usize>,
    /// Changes a second, whether answered or not; latencies count from the moment each was due.
    /// Without it, each connection sends the next change once the last is answered [default of dead: 500].
    #[arg(long, value_name = "N")]
    pub rate: Option<u64>,
    /// How long changes are sent [default: 10; growth: 60].
    #[arg(long, value_name = "SECONDS", conflicts_with = "changes")]
    pub seconds: Option<u64>,
    /// How many changes are sent, in place of a time.
    #[arg(long, value_name = "N")]
    pub changes: Option<u64>,
    /// Size of a change in bytes: the body of its request, or its share of a batch.
    #[arg(long, value_name = "BYTES", default_value_t = 1_024)]
    pub bytes: usize,
    /// Report changes of so many orders in turn, and check their sequence; otherwise each change is of
    /// an order of its own.
    #[arg(long, value_name = "N")]
    pub orders: Option<u64>,
    /// Integrations, which take changes in turn [default: 1; many-subscriptions and dead: 100].
    #[arg(long, value_name = "N")]
    pub integrations: Option<usize>,
    /// Subscriptions of each integration: so many deliveries make a change [default: 1; fan-out and
    /// many-subscriptions: 10; dead: 9].
    #[arg(long, value_name = "N")]
    pub subscriptions: Option<usize>,
    /// Most requests at once to each subscription [default: 64; where there are several: 16].
    #[arg(long, value_name = "N")]
    pub max_in_flight: Option<u32>,
    /// Further subscriptions, spread over the integrations, whose receiver never answers [default: 0;
    /// dead: 100].
    #[arg(long, value_name = "N")]
    pub dead: Option<usize>,
    /// Changes a second, of orders of their own, that only the dead subscriptions take; without it, they
    /// take every change.
    #[arg(long, value_name = "N", conflicts_with = "changes")]
    pub dead_rate: Option<u64>,
    /// Measure without the dead subscriptions first, then while they answer, then while they do not.
    #[arg(long)]
    pub compare_dead: bool,
    /// Tell each phase in so many windows, too [default: 0; growth: 10].
    #[arg(long, value_name = "N")]
    pub windows: Option<usize>,
    /// Jobs that the server has delivered before the last phase, in an integration of their own; the phase before
    /// them is without [default: 0; history: 10000000].
    #[arg(long, value_name = "N", conflicts_with_all = ["dead", "rate"])]
    pub history: Option<u64>,
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
