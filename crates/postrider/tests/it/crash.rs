//! kill -9 in loops, under load and with receivers that fail: nothing acknowledged is lost, nothing comes out of
//! order, and only what was in flight is sent twice. `POSTRIDER_KILL_ROUNDS=200` makes it longer.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};

use crate::harness::producers::{Ledger, join, produce, seeded, times};
use crate::harness::receiver::Reply;
use crate::harness::{Received, Receiver, Server, wait_for, whole};

/// Kills of a run that is told no other number: enough to catch a mistake, few enough for every change.
const ROUNDS_DEFAULT: usize = 8;
/// Longest time between a start and the kill, in milliseconds.
const LIFE_MILLISECONDS_MAX: u64 = 200;
/// Changes that each producer reports in a round: so few that failing receivers keep up.
const CHANGES_PER_PRODUCER: usize = 3;
/// The most requests of a lane that can be in flight when the process dies.
const IN_FLIGHT_MAX: usize = 32;
/// The share of requests that a flaky receiver fails.
const FLAKY_SHARE: f64 = 0.3;
/// Of so many orders one has a payload that its receiver refuses for good.
const POISON_EVERY: i64 = 10;

/// A request, as far as the promises are concerned.
#[derive(Clone, Copy)]
struct Arrival {
    order: i64,
    sequence: i64,
    stage: i64,
    is_taken: bool,
}

/// What came to each subscription, by its key.
type Arrivals = Arc<Mutex<HashMap<String, Vec<Arrival>>>>;

/// Answers as the path says, which is the subscription's key.
fn receiver(arrivals: &Arrivals, seed: u64) -> Receiver {
    let arrivals = arrivals.clone();
    let chance = Mutex::new(StdRng::seed_from_u64(seed));
    Receiver::scripted(move |request, _| {
        let key = request.path.trim_start_matches('/').to_owned();
        let reply = reply(&key, request, &mut chance.lock().expect("no panic"));
        let number = |header| request.header(header).parse().expect("a number");
        let arrival = Arrival {
            order: number("postrider-order-id"),
            sequence: number("postrider-sequence"),
            stage: request.json()["order_stage_id"].as_i64().expect("an id"),
            is_taken: matches!(reply, Reply::Status(200, _)),
        };
        let mut arrivals = arrivals.lock().expect("no panic");
        arrivals.entry(key).or_default().push(arrival);
        reply
    })
}

fn reply(key: &str, request: &Received, chance: &mut StdRng) -> Reply {
    let order: i64 = request
        .header("postrider-order-id")
        .parse()
        .expect("a number");
    let is_first = request.header("postrider-sequence") == "1";
    match key {
        "poison" if is_first && order % POISON_EVERY == 0 => Reply::Status(422, vec![]),
        key if key.starts_with("flaky") && chance.random_bool(FLAKY_SHARE) => {
            if chance.random() {
                Reply::HangUp
            } else {
                Reply::Status(500, vec![])
            }
        }
        _ => Reply::Status(200, vec![]),
    }
}

/// Subscriptions of every kind; their keys.
fn subscribe(server: &mut Server, integration: i64, receiver: &Receiver) -> Vec<&'static str> {
    let quick = json!({ "schedule": ["100ms"], "give_up_after": "1d" });
    let soon = json!({ "schedule": ["100ms"], "give_up_after": "1s" });
    let subs = [
        ("order", json!({})),
        ("subscription", json!({ "ordering": "subscription" })),
        (
            "flaky-none",
            json!({ "ordering": "none", "retry_policy": quick }),
        ),
        ("flaky-order", json!({ "retry_policy": quick })),
        (
            "flaky-subscription",
            json!({ "ordering": "subscription", "retry_policy": quick }),
        ),
        ("poison", json!({ "retry_policy": soon })),
        (
            "flaky-newest",
            json!({ "supersede": true, "retry_policy": quick }),
        ),
    ];
    let mut keys = Vec::new();
    for (key, mut parameters) in subs {
        let common = json!({ "integration_id": integration, "key": key, "name": key, "statuses": ["*"],
            "callback_url": receiver.url(&format!("/{key}")), "version": "v3" });
        let members = common.as_object().expect("members").clone();
        parameters.as_object_mut().expect("members").extend(
            members
                .into_iter()
                .collect::<serde_json::Map<String, Value>>(),
        );
        server.call("webhook_out_subs/create", parameters).data();
        keys.push(key);
    }
    keys
}

#[test]
fn kill_9_at_any_moment_loses_nothing_and_repeats_only_what_was_in_flight() {
    let mut chance = seeded();
    let rounds = times("POSTRIDER_KILL_ROUNDS", ROUNDS_DEFAULT);
    let arrivals = Arrivals::default();
    let receiver = receiver(&arrivals, chance.random());
    let mut server = Server::start();
    let integration = server.integration("a");
    let keys = subscribe(&mut server, integration, &receiver);
    let ledger = Arc::new(Ledger::limited(CHANGES_PER_PRODUCER));
    for round in 0..rounds {
        let life = Duration::from_millis(chance.random_range(1..LIFE_MILLISECONDS_MAX));
        let producers = produce(&server, integration, &round.to_string(), &ledger);
        // The random moment itself, not a wait for anything.
        std::thread::park_timeout(life);
        server.kill();
        join(producers);
        receiver.forget();
        server.restart();
    }
    wait_until_nothing_waits(&server);
    let accepted = ledger.accepted();
    assert!(accepted.len() > rounds, "the producers did their part");
    let arrivals = arrivals.lock().expect("no panic").clone();
    for key in keys {
        let arrived = &arrivals[key];
        match key {
            "flaky-newest" => check_newest(&server, arrived),
            "poison" => check_all(&accepted, arrived.iter(), key),
            _ => check_all(&accepted, arrived.iter().filter(|one| one.is_taken), key),
        }
        match key {
            "flaky-none" => {}
            key if key.ends_with("subscription") => {
                check_order(arrived, |_| 0, |one| one.stage, key)
            }
            _ => check_order(arrived, |one| one.order, |one| one.sequence, key),
        }
        let at_once = if key.ends_with("subscription") {
            1
        } else {
            IN_FLIGHT_MAX
        };
        let repeated = repeated(arrived);
        let bound = rounds * at_once;
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
    let database = server.database();
    let mut left = whole::waiting(&database);
    while left > 0 {
        left = wait_for(&format!("any of {left} jobs to become final"), || {
            Some(whole::waiting(&database)).filter(|now| *now < left)
        });
    }
}

/// Every accepted change arrived.
fn check_all<'a>(accepted: &HashSet<i64>, arrived: impl Iterator<Item = &'a Arrival>, key: &str) {
    let arrived: HashSet<i64> = arrived.map(|one| one.stage).collect();
    let lost = accepted.difference(&arrived).count();
    assert_eq!(lost, 0, "{key}: lost of {}", accepted.len());
}

/// The last change of each order arrived, whatever it superseded.
fn check_newest(server: &Server, arrived: &[Arrival]) {
    let database = server.database();
    let mut newest = database
        .prepare("select max(id) from order_stages group by order_id")
        .expect("a table");
    let newest = newest.query_map([], |row| row.get(0)).expect("rows");
    let newest: HashSet<i64> = newest.map(|id| id.expect("an id")).collect();
    let taken = arrived.iter().filter(|one| one.is_taken);
    check_all(&newest, taken, "the newest of each order");
}

/// First requests of a group come in its sequence.
fn check_order(
    arrived: &[Arrival],
    group: impl Fn(&Arrival) -> i64,
    place: impl Fn(&Arrival) -> i64,
    key: &str,
) {
    let mut last: HashMap<i64, i64> = HashMap::new();
    let mut seen = HashSet::new();
    for one in arrived.iter().filter(|one| seen.insert(one.stage)) {
        let before = last.insert(group(one), place(one)).unwrap_or(0);
        assert!(
            before < place(one),
            "{key}: {} came after {before}",
            place(one)
        );
    }
}

/// How many requests came again though they had been taken.
fn repeated(arrived: &[Arrival]) -> usize {
    let mut taken = HashSet::new();
    let mut repeated = 0;
    for one in arrived {
        repeated += usize::from(taken.contains(&one.stage));
        if one.is_taken {
            taken.insert(one.stage);
        }
    }
    repeated
}
