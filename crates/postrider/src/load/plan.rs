//! What is measured: the plan that the flags of `postrider load` come to.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, bail};

use super::args::LoadArgs;
use super::scenario::Scenario;

/// Most changes of one phase: the tool remembers each, a bit per subscription.
pub const CHANGES_MAX: u64 = 10_000_000;
/// Most subscriptions of a run, so that those bits stay below 1.3 GB.
const SUBSCRIPTIONS_MAX: usize = 1_000;
/// Most dead subscriptions of a run: each needs a few files of the server and of this tool.
const DEAD_MAX: usize = 20_000;
/// Most subscriptions of an integration (API, webhook_out_subs/create).
const OF_INTEGRATION_MAX: usize = 1_000;
/// Most requests at once to a subscription (API, webhook_out_subs/create).
const IN_FLIGHT_MAX: u32 = 100;
/// Most jobs of a history: at ten a change, as many changes as a phase has.
const HISTORY_MAX: u64 = 100_000_000;
/// Most servers of one's own: they share this machine with the tool.
const NODES_MAX: usize = 16;
/// Longest phase in seconds: this is a benchmark, no soak test.
const SECONDS_MAX: u64 = 3_600;
/// Largest change in bytes: what 49 entries of an order's metadata hold.
const BYTES_MAX: usize = 24_000;
/// Most connections of the producer.
const CONNECTIONS_MAX: usize = 4_096;
/// Most changes of one request (API, order_stages/create_many).
const BATCH_MAX: usize = 1_000;
/// Most windows of a phase: each is a line of the report.
const WINDOWS_MAX: usize = 100;
/// Longest closed loop that only finds the rate of an open one.
const REHEARSAL_SECONDS_MAX: u64 = 5;

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
    /// What set the numbers that no flag set.
    pub scenario: Scenario,
    /// Servers of one's own on one database.
    pub nodes: usize,
    /// Connections of the producer.
    pub connections: usize,
    /// Changes of one request.
    pub batch: usize,
    /// When the next change is sent.
    pub pace: Pace,
    /// When a phase ends.
    pub until: Until,
    /// When a closed loop ends at half of whose rate the phases are then run; none: there is no such loop.
    pub rehearsal: Option<Until>,
    /// Size of a change.
    pub bytes: usize,
    /// Which orders the changes are of.
    pub orders: Orders,
    /// How many integrations there are.
    pub integrations: usize,
    /// Subscriptions of each integration that are answered.
    pub subscriptions: usize,
    /// Most requests at once to a subscription.
    pub max_in_flight: u32,
    /// Subscriptions in all that are never answered.
    pub dead: usize,
    /// Changes a second that only those take; none: they take every change.
    pub dead_rate: Option<u64>,
    /// Whether a phase without the dead ones comes first.
    pub compare_dead: bool,
    /// Jobs that are delivered between a first phase and a last one; 0: there is one phase.
    pub history: u64,
    /// Windows that a phase is told in; 0: only as a whole.
    pub windows: usize,
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
        let preset = args.scenario.preset();
        let seconds = args.seconds.unwrap_or(preset.seconds);
        within("seconds", seconds, 1, SECONDS_MAX)?;
        within("changes", args.changes.unwrap_or(1), 1, CHANGES_MAX)?;
        within("rate", args.rate.unwrap_or(1), 1, 1_000_000)?;
        within("drain", args.drain, 0, SECONDS_MAX)?;
        within("yardstick", args.yardstick, 0, 60)?;
        let plan = Plan {
            scenario: args.scenario,
            nodes: args.nodes.unwrap_or(1),
            connections: args.connections.unwrap_or(preset.connections),
            batch: args.batch.unwrap_or(preset.batch),
            pace: args
                .rate
                .or(preset.rate)
                .map_or(Pace::Answered, Pace::PerSecond),
            until: until(args.changes, seconds),
            rehearsal: rehearsal(args, seconds)?,
            bytes: args.bytes,
            orders: args.orders.map_or(Orders::OneEach, Orders::Cycled),
            integrations: args.integrations.unwrap_or(preset.integrations),
            subscriptions: args.subscriptions.unwrap_or(preset.subscriptions),
            max_in_flight: args.max_in_flight.unwrap_or(preset.max_in_flight),
            dead: args.dead.unwrap_or(preset.dead),
            dead_rate: args.dead_rate,
            compare_dead: args.compare_dead,
            history: args.history.unwrap_or(preset.history),
            windows: args.windows.unwrap_or(preset.windows),
            drain: Duration::from_secs(args.drain),
            yardstick: (args.yardstick > 0).then(|| Duration::from_secs(args.yardstick)),
            receiver: args.receiver,
        };
        plan.check_numbers()?;
        plan.check_subscriptions()?;
        plan.check_receiver(args.allow_remote)?;
        Ok(plan)
    }

    fn check_numbers(&self) -> Result<()> {
        let orders = match self.orders {
            Orders::OneEach => 1,
            Orders::Cycled(orders) => orders,
        };
        let in_flight = u64::from(self.max_in_flight);
        within_size("nodes", self.nodes, 1, NODES_MAX)?;
        within_size("connections", self.connections, 1, CONNECTIONS_MAX)?;
        within_size("batch", self.batch, 1, BATCH_MAX)?;
        within("dead-rate", self.dead_rate.unwrap_or(1), 1, 1_000_000)?;
        within_size("bytes", self.bytes, 1, BYTES_MAX)?;
        within("orders", orders, 1, CHANGES_MAX)?;
        within("history", self.history, 0, HISTORY_MAX)?;
        within_size("integrations", self.integrations, 1, 1_000)?;
        within_size("subscriptions", self.subscriptions, 1, 1_000)?;
        within("max-in-flight", in_flight, 1, u64::from(IN_FLIGHT_MAX))?;
        within_size("windows", self.windows, 0, WINDOWS_MAX)
    }

    fn check_subscriptions(&self) -> Result<()> {
        if (self.compare_dead || self.dead_rate.is_some()) && self.dead == 0 {
            bail!(
                "--compare-dead and --dead-rate need dead subscriptions; say how many with --dead"
            );
        }
        let (all, dead) = (self.integrations * self.subscriptions, self.dead);
        if all > SUBSCRIPTIONS_MAX || dead > DEAD_MAX {
            bail!(
                "{all} subscriptions (--integrations times --subscriptions) and {dead} dead ones are too \
                 many; have at most {SUBSCRIPTIONS_MAX} and {DEAD_MAX}"
            );
        }
        let of_one = self.subscriptions + dead.div_ceil(self.integrations);
        if of_one > OF_INTEGRATION_MAX {
            bail!(
                "an integration has at most {OF_INTEGRATION_MAX} subscriptions, and this would make {of_one}; \
                 spread them over more with --integrations"
            );
        }
        Ok(())
    }

    fn check_receiver(&self, allow_remote: bool) -> Result<()> {
        let receiver = self.receiver;
        if receiver.ip().is_unspecified() {
            bail!("--receiver {receiver} is every address; name the one that the server reaches");
        }
        if !receiver.ip().is_loopback() && !allow_remote {
            bail!(
                "--receiver {receiver} is not on this machine's loopback; add --allow-remote if that is meant"
            );
        }
        Ok(())
    }
}

fn until(changes: Option<u64>, seconds: u64) -> Until {
    match changes {
        Some(changes) => Until::Changes(changes),
        None => Until::Elapsed(Duration::from_secs(seconds)),
    }
}

/// The closed loop that finds a rate: half as long as what follows, and short.
fn rehearsal(args: &LoadArgs, seconds: u64) -> Result<Option<Until>> {
    if args.scenario != Scenario::OpenHalf {
        return Ok(None);
    }
    if args.rate.is_some() {
        bail!("--scenario open-half finds its own rate; leave --rate out, or the scenario");
    }
    let changes = args.changes.map(|changes| changes.div_ceil(2));
    let seconds = seconds.div_ceil(2).min(REHEARSAL_SECONDS_MAX);
    Ok(Some(until(changes, seconds)))
}

fn within_size(flag: &str, value: usize, min: usize, max: usize) -> Result<()> {
    within(flag, value as u64, min as u64, max as u64)
}

fn within(flag: &str, value: u64, min: u64, max: u64) -> Result<()> {
    if !(min..=max).contains(&value) {
        bail!("--{flag} {value} is out of bounds; use {min} to {max}");
    }
    Ok(())
}
