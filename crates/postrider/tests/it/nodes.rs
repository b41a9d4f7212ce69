//! Three nodes on one PostgreSQL, one of which is killed, frozen or cut off in each round, under load and with receivers that fail:
//! nothing acknowledged is lost, nothing comes out of order, and only what was in flight on that node is sent twice.
//! `POSTRIDER_NODE_ROUNDS=100` makes it longer.

use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use testkit::TestPostgres;

use crate::crash::wait_until_nothing_waits;
use crate::harness::arrivals::{Arrival, Arrivals, repeated};
use crate::harness::producers::{Ledger, join, produce_by, seeded, times};
use crate::harness::relay::{Link, Relay};
use crate::harness::server::on;
use crate::harness::{Server, wait_for, whole};

const NODES: usize = 3;
/// Rounds of a run that is told no other number: a freeze, a kill, a cut.
const ROUNDS_DEFAULT: usize = 3;
/// The shortest that a node may have, so that its end can be waited for.
const LEASE: &str = "3s";
/// Longest time between the beginning of the load and the fault, in milliseconds.
const CALM_MILLISECONDS_MAX: u64 = 500;
/// The load of a round goes on beyond the end of a lease, and is so small that failing receivers keep up.
const PRODUCERS_PER_NODE: usize = 2;
const CHANGES_PER_PRODUCER: usize = 7;
const PACE: Duration = Duration::from_millis(500);

/// What happens to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It is killed, and comes back only after others have its lanes.
    Killed,
    /// It is killed, and comes back at once.
    Restarted,
    /// It stands still for longer than its lease, and wakes up.
    Frozen,
    /// Its connections to the database are cut, and new ones refused, for longer than its lease.
    CutOff,
    /// What it and the database send each other does not arrive, for longer than its lease.
    Unheard,
}

const FAULTS: [Fault; 5] = [
    Fault::Frozen,
    Fault::Restarted,
    Fault::Unheard,
    Fault::Killed,
    Fault::CutOff,
];

/// A node, and its way to the database.
struct Node {
    server: Server,
    relay: Relay,
}

impl Node {
    fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::Killed | Fault::Restarted => self.server.kill(),
            Fault::Frozen => self.server.signal("STOP"),
            Fault::CutOff => self.relay.set(Link::Refused),
            Fault::Unheard => self.relay.set(Link::Silent),
        }
    }

    fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Killed | Fault::Restarted => self.server.restart(),
            Fault::Frozen => self.server.signal("CONT"),
            Fault::CutOff | Fault::Unheard => self.relay.set(Link::Whole),
        }
    }

    /// As what the database knows it at this moment, if it does.
    fn id(&self) -> Option<i64> {
        let lock = self.server.folder().join("serve.lock");
        let inode = std::fs::metadata(lock).expect("a lock").ino();
        let of_folder = format!("select id from nodes where name like '%/{inode}'");
        self.server.numbers(&of_folder).last().copied()
    }
}

/// What may be sent again in a round: jobs that were not final, on lanes of a node when it failed.
type Doubtful = HashSet<(String, i64)>;

struct Cluster {
    database: Arc<TestPostgres>,
    nodes: Vec<Node>,
    integration: i64,
    ledger: Arc<Ledger>,
}

impl Cluster {
    fn start() -> Cluster {
        let database = Arc::<TestPostgres>::default();
        let mut nodes: Vec<Node> = Vec::new();
        for _ in 0..NODES {
            let relay = Relay::to(database.socket());
            let mut environment = on(&database.url_by(relay.port()));
            environment.push(("POSTRIDER_LEASE".to_owned(), LEASE.to_owned()));
            let server = match nodes.first() {
                Some(first) => first.server.start_beside_with(&environment),
                None => Server::start_through(&database, environment),
            };
            nodes.push(Node { server, relay });
        }
        let integration = nodes[0].server.integration("a");
        Cluster {
            database,
            nodes,
            integration,
            ledger: Arc::new(Ledger::paced(CHANGES_PER_PRODUCER, PACE)),
        }
    }

    fn count(&self, sql: &str) -> i64 {
        self.nodes[0].server.numbers(sql)[0]
    }

    /// Waits until each node has a lease, and each lane a node.
    fn wait_until_settled(&self) {
        wait_for("the nodes to share the lanes", || {
            let live =
                self.count("select count(*) from nodes where lease_until > clock_timestamp()");
            let free = "select count(*) from lanes l where not exists (select 1 from nodes n where n.id = l.node_id)";
            (live == 3 && self.count(free) == 0).then_some(())
        });
    }

    fn doubtful(&self, node: i64) -> Doubtful {
        let waiting = "select s.key, w.order_stage_id from webhook_jobs_waiting w \
             join webhook_out_subs s on s.id = w.webhook_out_sub_id join lanes l on l.webhook_out_sub_id = s.id";
        let rows = self
            .database
            .rows(&format!("{waiting} where l.node_id = {node}"));
        let read = |row: &String| {
            let (key, stage) = row.split_once('|')?;
            Some((key.to_owned(), stage.parse().ok()?))
        };
        rows.iter().filter_map(read).collect()
    }

    /// Lets something happen to a node under load; what may be sent again by it, and how long the others took to take over.
    fn round(&mut self, number: usize, victim: usize, fault: Fault, calm: Duration) -> Doubtful {
        let ids = || self.nodes.iter().map(Node::id).collect::<Vec<_>>();
        let before = ids();
        let producers = self.nodes.iter().zip(0..);
        let producers = producers.flat_map(|(node, place)| {
            let name = format!("{number}-{place}");
            let (many, ledger) = (PRODUCERS_PER_NODE, &self.ledger);
            produce_by(many, &node.server, self.integration, &name, ledger)
        });
        let producers = producers.collect();
        // The random moment itself, not a wait for anything.
        std::thread::park_timeout(calm);
        let node = before[victim].expect("it has a lease");
        self.nodes[victim].begin(fault);
        let began = Instant::now();
        let mut doubtful = self.doubtful(node);
        if fault != Fault::Restarted {
            let its = format!("select count(*) from lanes where node_id = {node}");
            wait_for("others to take over", || {
                (self.count(&its) == 0).then_some(())
            });
        }
        let taken = began.elapsed();
        self.nodes[victim].end(fault);
        join(producers);
        self.wait_until_settled();
        wait_until_nothing_waits(&self.nodes[0].server);
        let settled = began.elapsed();
        println!(
            "round {number}: node {victim} {fault:?}, taken over after {taken:.1?}, all final after {settled:.1?}"
        );
        // A machine that stands still takes leases from others too.
        let after = self.nodes.iter().map(Node::id);
        for (place, (before, after)) in before.iter().zip(after).enumerate() {
            if place != victim && *before != after {
                println!("round {number}: node {place} lost its lease by itself");
                doubtful.insert((String::new(), 0));
            }
        }
        doubtful
    }
}

#[test]
fn three_nodes_lose_nothing_and_repeat_only_what_was_in_flight_on_the_one_that_failed() {
    let mut chance = seeded();
    let rounds = times("POSTRIDER_NODE_ROUNDS", ROUNDS_DEFAULT);
    let arrivals = Arrivals::start(chance.random());
    let mut cluster = Cluster::start();
    let keys = arrivals.subscribe(&mut cluster.nodes[0].server, cluster.integration);
    cluster.wait_until_settled();
    let mut doubtful = Vec::new();
    for round in 0..rounds {
        arrivals.begin_round(round);
        let (victim, fault) = (chance.random_range(0..NODES), choose(&mut chance, round));
        let calm = Duration::from_millis(chance.random_range(1..CALM_MILLISECONDS_MAX));
        doubtful.push(cluster.round(round, victim, fault, calm));
    }
    let accepted = cluster.ledger.accepted();
    assert!(accepted.len() > rounds, "the producers did their part");
    let server = &cluster.nodes[0].server;
    arrivals.check(server, &keys, &accepted);
    let repeats = keys
        .iter()
        .map(|key| check_repeated(key, &arrivals.of(key), &doubtful));
    let (accepted, refused) = (accepted.len(), cluster.ledger.refused());
    println!(
        "{rounds} rounds: {accepted} accepted, {refused} refused, {} sent twice, 0 lost, 0 out of order",
        repeats.sum::<usize>()
    );
    whole::check(server);
}

fn choose(chance: &mut StdRng, round: usize) -> Fault {
    let by_chance = || FAULTS.choose(chance).copied().expect("there are some");
    FAULTS.get(round).copied().unwrap_or_else(by_chance)
}

/// Only what was doubtful in a round came again in it, and was taken once more at most (a receiver that fails is tried until it takes it);
/// how much that was.
fn check_repeated(key: &str, arrived: &[Arrival], doubtful: &[Doubtful]) -> usize {
    let again = repeated(arrived);
    let mut times: HashMap<(usize, i64), usize> = HashMap::new();
    for one in &again {
        let doubtful = &doubtful[one.round];
        let may = doubtful.contains(&(key.to_owned(), one.stage))
            || doubtful.contains(&(String::new(), 0));
        assert!(
            may,
            "{key}: {} came again in round {}",
            one.stage, one.round
        );
        *times.entry((one.round, one.stage)).or_default() += usize::from(one.is_taken);
    }
    let most = times.values().max().copied().unwrap_or(0);
    assert!(
        most <= 1,
        "{key}: one was taken {most} times again in one round"
    );
    println!(
        "{key}: {} requests, {} repeated",
        arrived.len(),
        again.len()
    );
    again.len()
}
