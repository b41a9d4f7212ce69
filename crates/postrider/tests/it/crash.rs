//! kill -9 in loops: nothing acknowledged is lost, and only what was in flight is sent twice.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::harness::{Client, Receiver, Server, wait_for};

/// Connections that report changes while the server is killed.
const PRODUCERS: usize = 16;
/// Kills of a run that is told no other number: enough to catch a mistake, few enough for every change.
const ROUNDS_DEFAULT: usize = 8;
/// Longest time between a start and the kill, in milliseconds.
const LIFE_MILLISECONDS_MAX: u64 = 400;
/// The most requests that can be in flight when the process dies: the subscription's limit.
const IN_FLIGHT_MAX: usize = 32;

fn rounds() -> usize {
    let given = std::env::var("POSTRIDER_KILL_ROUNDS").ok();
    given.map_or(ROUNDS_DEFAULT, |rounds| rounds.parse().expect("a number"))
}

fn seeded() -> StdRng {
    let given = std::env::var("POSTRIDER_TEST_SEED").ok();
    let seed = given.map_or(1, |seed| seed.parse().expect("a number"));
    println!("POSTRIDER_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// What the producers know of: orders whose every stage so far was acknowledged, or not known to be.
#[derive(Default)]
struct Ledger {
    /// The ids of stages that were answered 200.
    accepted: Mutex<HashSet<i64>>,
    stop: AtomicBool,
}

/// Reports stage after stage of one order after another until told to stop or the server dies.
fn produce(
    server: std::net::SocketAddr,
    token: &str,
    integration: i64,
    name: &str,
    ledger: &Ledger,
) {
    let mut client = Client::new(server);
    let headers = [("content-type", "application/json")];
    for number in 0.. {
        let order = format!("{name}-{}", number / 3);
        let body = json!({ "token": token, "integration_id": integration, "external_order_id": order,
            "create_order": true, "stage": "scheduled" });
        let path = "/api/v1/order_stages/create";
        let answer = client.try_send("POST", path, &headers, body.to_string().as_bytes());
        match answer {
            Some(answer) if answer.code == 200 => {
                let id = answer.json()["data"]["id"].as_i64().expect("an id");
                ledger.accepted.lock().expect("no panic").insert(id);
            }
            Some(answer) => assert_eq!(answer.code, 503, "{}", answer.text),
            None => return,
        }
        if ledger.stop.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn round(
    server: &mut Server,
    integration: i64,
    round: usize,
    life: Duration,
    ledger: &Arc<Ledger>,
) {
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let (address, token) = (server.address, server.token.clone());
            let ledger = ledger.clone();
            let name = format!("{round}-{producer}");
            std::thread::spawn(move || produce(address, &token, integration, &name, &ledger))
        })
        .collect();
    // The random moment itself, not a wait for anything.
    std::thread::park_timeout(life);
    server.kill();
    for producer in producers {
        producer.join().expect("no producer fails");
    }
    server.restart();
}

#[test]
fn kill_9_at_any_moment_loses_nothing_and_repeats_only_what_was_in_flight() {
    let mut chance = seeded();
    let rounds = rounds();
    let receiver = Receiver::start();
    let mut server = Server::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let ledger = Arc::new(Ledger::default());
    for number in 0..rounds {
        let life = Duration::from_millis(chance.random_range(1..LIFE_MILLISECONDS_MAX));
        round(&mut server, integration, number, life, &ledger);
    }
    let accepted = ledger.accepted.lock().expect("no panic").clone();
    let arrived = || -> HashMap<i64, usize> {
        let mut times = HashMap::new();
        for request in receiver.received() {
            let stage = request.json()["order_stage_id"].as_i64().expect("an id");
            *times.entry(stage).or_default() += 1;
        }
        times
    };
    let times = wait_for("every accepted change to arrive", || {
        let times = arrived();
        accepted
            .iter()
            .all(|id| times.contains_key(id))
            .then_some(times)
    });
    let repeated: usize = times.values().map(|times| times - 1).sum();
    println!(
        "{rounds} rounds: {} accepted, {} arrived, 0 lost, {repeated} repeated",
        accepted.len(),
        times.len()
    );
    assert!(accepted.len() > rounds, "the producers did their part");
    assert!(repeated <= rounds * IN_FLIGHT_MAX, "{repeated} repeated");
    check_order(&receiver);
    wait_for("nothing to wait any more", || {
        let listed = server.call(
            "webhook_jobs/index",
            json!({ "integration_id": integration, "filters": { "state": ["pending", "retrying", "delivering"] } }),
        );
        listed
            .data()
            .as_array()
            .is_some_and(Vec::is_empty)
            .then_some(())
    });
}

/// First deliveries of an order come in its sequence.
fn check_order(receiver: &Receiver) {
    let mut last: HashMap<String, i64> = HashMap::new();
    let mut seen = HashSet::new();
    for request in receiver.received() {
        let order = request.header("postrider-order-id").to_owned();
        let sequence: i64 = request
            .header("postrider-sequence")
            .parse()
            .expect("a number");
        if !seen.insert((order.clone(), sequence)) {
            continue;
        }
        let before = last.insert(order.clone(), sequence).unwrap_or(0);
        assert!(
            before < sequence,
            "order {order}: {sequence} came after {before}"
        );
    }
}
