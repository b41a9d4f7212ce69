//! What arrives at receivers of every kind, and whether that is what is promised: nothing is lost, nothing comes out of order, and
//! only what was in flight when something failed comes again.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use super::receiver::Reply;
use super::{Received, Receiver, Server, with};

/// The share of requests that a flaky receiver fails.
const FLAKY_SHARE: f64 = 0.3;
/// Of so many orders one has a payload that its receiver refuses for good.
const POISON_EVERY: i64 = 10;

/// A request, as far as the promises are concerned.
#[derive(Clone, Copy)]
pub struct Arrival {
    pub order: i64,
    pub sequence: i64,
    pub stage: i64,
    pub is_taken: bool,
    /// In which round of the test it came.
    pub round: usize,
}

/// What came to each subscription, by its key.
type ByKey = Arc<Mutex<HashMap<String, Vec<Arrival>>>>;

/// A receiver whose subscriptions are of every kind, and what came to it.
pub struct Arrivals {
    pub receiver: Receiver,
    by_key: ByKey,
    round: Arc<AtomicUsize>,
}

impl Arrivals {
    /// Answers as the path says, which is the subscription's key.
    pub fn start(seed: u64) -> Arrivals {
        let (by_key, round) = (ByKey::default(), Arc::new(AtomicUsize::new(0)));
        let (kept, current) = (by_key.clone(), round.clone());
        let chance = Mutex::new(StdRng::seed_from_u64(seed));
        let receiver = Receiver::scripted(move |request, _| {
            let key = request.path.trim_start_matches('/').to_owned();
            let reply = reply(&key, request, &mut chance.lock().expect("no panic"));
            let number = |header| request.header(header).parse().expect("a number");
            let arrival = Arrival {
                order: number("postrider-order-id"),
                sequence: number("postrider-sequence"),
                stage: request.json()["order_stage_id"].as_i64().expect("an id"),
                is_taken: matches!(reply, Reply::Status(200, _)),
                round: current.load(Ordering::SeqCst),
            };
            let mut arrivals = kept.lock().expect("no panic");
            arrivals.entry(key).or_default().push(arrival);
            reply
        });
        Arrivals {
            receiver,
            by_key,
            round,
        }
    }

    /// Subscriptions of every kind; their keys.
    pub fn subscribe(&self, server: &mut Server, integration: i64) -> Vec<&'static str> {
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
        let subscribe = |(key, more)| {
            let common = json!({ "integration_id": integration, "key": key, "name": key, "statuses": ["*"],
                "callback_url": self.receiver.url(&format!("/{key}")), "version": "v3" });
            server
                .call("webhook_out_subs/create", with(common, &more))
                .data();
            key
        };
        subs.into_iter().map(subscribe).collect()
    }

    /// From now on it is this round.
    pub fn begin_round(&self, round: usize) {
        self.round.store(round, Ordering::SeqCst);
        self.receiver.forget();
    }

    /// What came to a subscription, in the order in which it came.
    pub fn of(&self, key: &str) -> Vec<Arrival> {
        let by_key = self.by_key.lock().expect("no panic");
        by_key.get(key).cloned().unwrap_or_default()
    }

    /// Every accepted change arrived, and first requests came in their order.
    pub fn check(&self, server: &Server, keys: &[&str], accepted: &HashSet<i64>) {
        for key in keys {
            let arrived = self.of(key);
            let taken = || arrived.iter().filter(|one| one.is_taken);
            match *key {
                "flaky-newest" => check_all(&newest(server), taken(), key),
                "poison" => check_all(accepted, arrived.iter(), key),
                _ => check_all(accepted, taken(), key),
            }
            match *key {
                "flaky-none" => {}
                key if key.ends_with("subscription") => {
                    let places = places(server, key);
                    check_order(&arrived, |_| 0, |one| places[&one.stage], key)
                }
                _ => check_order(&arrived, |one| one.order, |one| one.sequence, key),
            }
        }
    }
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

/// Every accepted change arrived.
fn check_all<'a>(accepted: &HashSet<i64>, arrived: impl Iterator<Item = &'a Arrival>, key: &str) {
    let arrived: HashSet<i64> = arrived.map(|one| one.stage).collect();
    let lost: Vec<&i64> = accepted.difference(&arrived).collect();
    assert!(
        lost.is_empty(),
        "{key}: lost {lost:?} of {}",
        accepted.len()
    );
}

/// The last change of each order, which arrives whatever it superseded.
fn newest(server: &Server) -> HashSet<i64> {
    let newest = server.numbers("select max(id) from order_stages group by order_id");
    newest.into_iter().collect()
}

/// Where the job of each change stands among all jobs of a subscription: of several nodes, one may number a change before another one and
/// commit it after.
fn places(server: &Server, key: &str) -> HashMap<i64, i64> {
    let stages = server.numbers(&format!(
        "select j.order_stage_id from webhook_jobs j join webhook_out_subs s on s.id = j.webhook_out_sub_id \
         where s.key = '{key}' order by j.id"
    ));
    stages.into_iter().zip(1..).collect()
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

/// The requests that came again though they had been taken.
pub fn repeated(arrived: &[Arrival]) -> Vec<Arrival> {
    let mut taken = HashSet::new();
    let mut repeated = Vec::new();
    for one in arrived {
        repeated.extend(taken.contains(&one.stage).then_some(*one));
        if one.is_taken {
            taken.insert(one.stage);
        }
    }
    repeated
}
