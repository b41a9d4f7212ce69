//! kill -9 in loops, under load and with receivers that fail: nothing acknowledged is lost, nothing comes out of
//! order, and only what was in flight is sent twice. `POSTRIDER_KILL_ROUNDS=200` makes it longer.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;

use crate::harness::arrivals::{Arrivals, repeated};
use crate::harness::producers::{Ledger, join, produce, seeded, times};
use crate::harness::{Server, wait_for, whole};

/// Kills of a run that is told no other number: enough to catch a mistake, few enough for every change.
const ROUNDS_DEFAULT: usize = 8;
/// Longest time between a start and the kill, in milliseconds.
const LIFE_MILLISECONDS_MAX: u64 = 200;
/// The same on a database, whose first answers take longer.
const LIFE_ON_POSTGRES_MILLISECONDS_MAX: u64 = 800;
/// Changes that each producer reports in a round: so few that failing receivers keep up.
const CHANGES_PER_PRODUCER: usize = 3;
/// The most requests of a lane that can be in flight when the process dies.
const IN_FLIGHT_MAX: usize = 32;

#[test]
fn kill_9_at_any_moment_loses_nothing_and_repeats_only_what_was_in_flight() {
    let mut chance = seeded();
    let rounds = times("POSTRIDER_KILL_ROUNDS", ROUNDS_DEFAULT);
    let arrivals = Arrivals::start(chance.random());
    let mut server = Server::start();
    let integration = server.integration("a");
    let keys = arrivals.subscribe(&mut server, integration);
    let ledger = Arc::new(Ledger::limited(CHANGES_PER_PRODUCER));
    let life_max = match server.postgres() {
        Some(_) => LIFE_ON_POSTGRES_MILLISECONDS_MAX,
        None => LIFE_MILLISECONDS_MAX,
    };
    for round in 0..rounds {
        arrivals.begin_round(round);
        let life = Duration::from_millis(chance.random_range(1..life_max));
        let producers = produce(&server, integration, &round.to_string(), &ledger);
        // The random moment itself, not a wait for anything.
        std::thread::park_timeout(life);
        server.kill();
        join(producers);
        server.restart();
    }
    wait_until_nothing_waits(&server);
    let accepted = ledger.accepted();
    assert!(accepted.len() > rounds, "the producers did their part");
    arrivals.check(&server, &keys, &accepted);
    for key in keys {
        let at_once = if key.ends_with("subscription") {
            1
        } else {
            IN_FLIGHT_MAX
        };
        let arrived = arrivals.of(key);
        let (repeated, bound) = (repeated(&arrived).len(), rounds * at_once);
        println!(
            "{key}: {} requests, {repeated} repeated of at most {bound}",
            arrived.len()
        );
        assert!(repeated <= bound, "{key}: {repeated} repeated");
    }
    println!(
        "{rounds} rounds: {} accepted, 0 lost, 0 out of order",
        accepted.len()
    );
    whole::check(&server);
}

/// Waits until every job is final, however long that takes while it goes on.
pub fn wait_until_nothing_waits(server: &Server) {
    let mut left = whole::waiting(server);
    while left > 0 {
        left = wait_for(&format!("any of {left} jobs to become final"), || {
            Some(whole::waiting(server)).filter(|now| *now < left)
        });
    }
}
