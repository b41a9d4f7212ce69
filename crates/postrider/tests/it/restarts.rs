//! Orderly restarts under load: nothing is lost and nothing is sent twice. `POSTRIDER_RESTARTS=100` makes it longer.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use serde_json::json;

use crate::crash::wait_until_nothing_waits;
use crate::harness::producers::{Ledger, join, produce, seeded, times};
use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for, whole};

/// Restarts of a run that is told no other number.
const RESTARTS_DEFAULT: usize = 5;
/// Longest time between a start and the end, in milliseconds.
const LIFE_MILLISECONDS_MAX: u64 = 200;

#[test]
fn restarts_under_load_lose_nothing_and_repeat_nothing() {
    let mut chance = seeded();
    let restarts = times("POSTRIDER_RESTARTS", RESTARTS_DEFAULT);
    let receiver = Receiver::start();
    let mut server = Server::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let ledger = Arc::new(Ledger::default());
    for round in 0..restarts {
        let life = Duration::from_millis(chance.random_range(1..LIFE_MILLISECONDS_MAX));
        let producers = produce(&server, integration, &round.to_string(), &ledger);
        // The random moment itself, not a wait for anything.
        std::thread::park_timeout(life);
        assert!(server.terminate(), "it ends well");
        join(producers);
        server.restart();
    }
    wait_until_nothing_waits(&server);
    let mut arrived: HashMap<i64, usize> = HashMap::new();
    for request in receiver.received() {
        let stage = request.json()["order_stage_id"].as_i64().expect("an id");
        *arrived.entry(stage).or_default() += 1;
    }
    let accepted = ledger.accepted();
    let lost = accepted
        .iter()
        .filter(|id| !arrived.contains_key(id))
        .count();
    let repeated = arrived.values().filter(|times| **times > 1).count();
    println!(
        "{restarts} restarts: {} accepted, {lost} lost, {repeated} repeated",
        accepted.len()
    );
    assert!(
        accepted.len() > restarts,
        "the producers did their part: {}",
        accepted.len()
    );
    assert_eq!((lost, repeated), (0, 0));
    whole::check(&server);
}

#[test]
fn what_waits_is_counted_from_the_start_on() {
    let receiver = Receiver::scripted(|_, _| Reply::Status(500, Vec::new()));
    let mut server = Server::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    for order in ["A-1", "A-2", "A-3"] {
        server.report(integration, order, "scheduled");
    }
    receiver.wait_for(3);
    assert!(server.terminate(), "it ends well");
    server.restart();
    wait_for("the waiting jobs to be counted", || {
        let asked = json!({ "integration_id": integration });
        let told = server.call("delivery_statistics/show", asked).data();
        (told["total"]["waiting"] == 3).then_some(())
    });
}
