//! PostgreSQL goes away under load, and comes back: stopped, killed, or replaced by a standby. Requests are told to come again, nothing
//! acknowledged is lost, and all goes on by itself, on every node. `POSTRIDER_AWAY_SECONDS=60` makes a fail-over last longer.

use std::sync::Arc;
use std::time::Duration;

use testkit::PostgresServer;

use crate::harness::producers::{Ledger, join, produce_by, times};
use crate::harness::receiver::Reply;
use crate::harness::relay::{Link, Relay};
use crate::harness::server::on;
use crate::harness::{Receiver, Server, wait_for};
use crate::verify::verify;

/// How long nobody is at the database's address in a fail-over, in seconds, where nobody asks for more.
const AWAY_SECONDS_DEFAULT: usize = 4;
/// The shortest there is, which ends while the database is away.
const LEASE: &str = "3s";
/// The load: it goes on all the time.
const PRODUCERS_PER_NODE: usize = 3;
const PACE: Duration = Duration::from_millis(50);
/// Changes that are accepted before and after what happens.
const CHANGES: usize = 20;

/// Two nodes that come to a database by one relay, and what they deliver.
struct World {
    nodes: [Server; 2],
    relay: Relay,
    receiver: Receiver,
    ledger: Arc<Ledger>,
    integration: i64,
}

impl World {
    fn on(database: &PostgresServer) -> World {
        let relay = Relay::to(database.socket());
        let mut environment = on(&PostgresServer::url_by(relay.port()));
        environment.push(("POSTRIDER_LEASE".to_owned(), LEASE.to_owned()));
        let mut first = Server::start_node(environment, &["--retry-schedule", "100ms"]);
        let second = first.start_beside();
        let receiver = Receiver::scripted(|request, before| {
            let fails = request.path == "/shaky" && before % 5 == 0;
            Reply::Status(if fails { 500 } else { 200 }, Vec::new())
        });
        let integration = first.integration("a");
        for path in ["/shaky", "/one", "/two"] {
            let key = path.trim_start_matches('/');
            first.subscribe(integration, key, &receiver.url(path));
        }
        World {
            nodes: [first, second],
            relay,
            receiver,
            ledger: Arc::new(Ledger::paced(usize::MAX, PACE)),
            integration,
        }
    }

    /// Lets something happen under load; how many requests were refused by it.
    fn under_load(&mut self, happens: impl FnOnce(&Relay)) {
        let nodes = self.nodes.iter().zip(["first", "second"]);
        let producers = nodes.flat_map(|(node, name)| {
            produce_by(
                PRODUCERS_PER_NODE,
                node,
                self.integration,
                name,
                &self.ledger,
            )
        });
        let producers = producers.collect();
        let accepted = || self.ledger.accepted().len();
        wait_for("changes", || (accepted() >= CHANGES).then_some(()));
        happens(&self.relay);
        let enough = accepted() + CHANGES;
        wait_for("changes again", || (accepted() >= enough).then_some(()));
        self.ledger.stop();
        join(producers);
    }

    /// Everything that was accepted arrived; nothing came twice. Requests were refused, in words, and soon.
    fn check(&mut self, is_waiting: impl Fn() -> bool) {
        wait_for("everything to be final", || (!is_waiting()).then_some(()));
        let (accepted, refused) = (self.ledger.accepted(), self.ledger.refused());
        let mut arrived = [("/one", 0), ("/two", 0), ("/shaky", 0)];
        let mut twice = 0;
        for (path, count) in &mut arrived {
            let requests = self.receiver.received().into_iter();
            let requests = requests.filter(|request| request.path == *path);
            let mut seen = std::collections::HashMap::new();
            for request in requests {
                let stage = request.json()["order_stage_id"].as_i64().expect("an id");
                *seen.entry(stage).or_insert(0) += 1;
            }
            let lost = accepted.iter().filter(|id| !seen.contains_key(id)).count();
            assert_eq!(lost, 0, "{path} of {}", accepted.len());
            *count = seen.len();
            if *path != "/shaky" {
                twice += seen.values().filter(|times| **times > 1).count();
            }
        }
        println!(
            "{} accepted, {refused} refused (the slowest after {:.1?}), {arrived:?} arrived, {twice} twice",
            accepted.len(),
            self.ledger.slowest_refusal()
        );
        assert!(refused > 0, "the database was never away");
        assert_eq!(twice, 0, "what was taken is recorded once it can be");
        let (found, is_sound) = verify(&self.nodes[0], &[]);
        assert!(is_sound, "{found}");
    }
}

fn waits(database: &PostgresServer) -> bool {
    database.rows("select count(*) from webhook_jobs_waiting") != ["0"]
}

#[test]
fn a_database_that_is_stopped_and_started_again_is_unavailable_for_so_long() {
    for signal in ["INT", "QUIT"] {
        let mut database = PostgresServer::start();
        let mut world = World::on(&database);
        world.under_load(|_| {
            database.stop(signal);
            database.start_again();
        });
        world.check(|| waits(&database));
    }
}

#[test]
fn a_standby_takes_over_with_all_that_was_acknowledged() {
    let away = times("POSTRIDER_AWAY_SECONDS", AWAY_SECONDS_DEFAULT);
    let mut primary = PostgresServer::start();
    let standby = primary.with_standby();
    let mut world = World::on(&primary);
    world.under_load(|relay| {
        primary.stop("KILL");
        relay.set(Link::Refused);
        // How long nobody is there, not a wait for anything.
        std::thread::park_timeout(Duration::from_secs(away as u64));
        standby.promote();
        relay.lead_to(&standby.socket());
    });
    world.check(|| waits(&standby));
}
