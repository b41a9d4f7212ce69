//! Connections that report changes while something happens to the server, and what was acknowledged to them.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::json;

use super::{Client, Server};

/// Connections that report at once.
pub const PRODUCERS: usize = 16;
/// Changes of one order, reported one after another.
const CHANGES_PER_ORDER: usize = 3;

/// What was acknowledged.
#[derive(Default)]
pub struct Ledger {
    /// How many changes each producer reports at most in a round, if that is limited.
    changes_max: Option<usize>,
    /// How long a producer rests after each change.
    pause: Duration,
    accepted: Mutex<HashSet<i64>>,
    /// How many were refused, and how long the slowest refusal took.
    refused: Mutex<(usize, Duration)>,
    stop: AtomicBool,
}

impl Ledger {
    /// For producers that report so many changes at most, each in each round.
    pub fn limited(changes_max: usize) -> Ledger {
        Ledger {
            changes_max: Some(changes_max),
            ..Ledger::default()
        }
    }

    /// For producers that report so many changes at most in each round, and rest after each of them.
    pub fn paced(changes_max: usize, pause: Duration) -> Ledger {
        Ledger {
            pause,
            ..Ledger::limited(changes_max)
        }
    }

    /// The ids of the changes that were answered 200.
    pub fn accepted(&self) -> HashSet<i64> {
        self.accepted.lock().expect("no panic").clone()
    }

    /// How many were answered 503.
    pub fn refused(&self) -> usize {
        self.refused.lock().expect("no panic").0
    }

    /// How long the slowest refusal took.
    pub fn slowest_refusal(&self) -> Duration {
        self.refused.lock().expect("no panic").1
    }

    /// Lets the producers end once their requests are answered.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// Starts them. `name` makes their orders others than those of any other round. They end when they are told
/// to, and when the server does.
pub fn produce(
    server: &Server,
    integration: i64,
    name: &str,
    ledger: &Arc<Ledger>,
) -> Vec<JoinHandle<()>> {
    produce_by(PRODUCERS, server, integration, name, ledger)
}

/// Starts so many of them.
pub fn produce_by(
    producers: usize,
    server: &Server,
    integration: i64,
    name: &str,
    ledger: &Arc<Ledger>,
) -> Vec<JoinHandle<()>> {
    let start = |producer: usize| {
        let (address, token) = (server.address, server.token.clone());
        let (name, ledger) = (format!("{name}-{producer}"), ledger.clone());
        std::thread::spawn(move || report(address, &token, integration, &name, &ledger))
    };
    (0..producers).map(start).collect()
}

/// Waits until they have ended.
pub fn join(producers: Vec<JoinHandle<()>>) {
    for producer in producers {
        producer.join().expect("no producer fails");
    }
}

fn report(server: SocketAddr, token: &str, integration: i64, name: &str, ledger: &Ledger) {
    let mut client = Client::new(server);
    let headers = [("content-type", "application/json")];
    for number in 0..ledger.changes_max.unwrap_or(usize::MAX) {
        if ledger.stop.load(Ordering::SeqCst) {
            return;
        }
        let order = format!("{name}-{}", number / CHANGES_PER_ORDER);
        let body = json!({ "token": token, "integration_id": integration, "external_order_id": order,
            "create_order": true, "stage": "scheduled" });
        let path = "/api/v1/order_stages/create";
        let started = Instant::now();
        match client.try_send("POST", path, &headers, body.to_string().as_bytes()) {
            Some(answer) if answer.code == 200 => {
                let id = answer.json()["data"]["id"].as_i64().expect("an id");
                ledger.accepted.lock().expect("no panic").insert(id);
            }
            Some(answer) => {
                assert_eq!(answer.code, 503, "{}", answer.text);
                let mut refused = ledger.refused.lock().expect("no panic");
                *refused = (refused.0 + 1, refused.1.max(started.elapsed()));
            }
            None => return,
        }
        if !ledger.pause.is_zero() {
            // The pace of the load, not a wait for anything.
            std::thread::park_timeout(ledger.pause);
        }
    }
}

/// Chance by `POSTRIDER_TEST_SEED`, which is printed.
pub fn seeded() -> StdRng {
    let given = std::env::var("POSTRIDER_TEST_SEED").ok();
    let seed = given.map_or(1, |seed| seed.parse().expect("a number"));
    println!("POSTRIDER_TEST_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

/// How often something is to be done: as the variable says, or so often that it costs no change much.
pub fn times(variable: &str, otherwise: usize) -> usize {
    let given = std::env::var(variable).ok();
    given.map_or(otherwise, |times| times.parse().expect("a number"))
}
