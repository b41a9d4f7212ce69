//! Nodes on hosts of their own: the link to the database is cut, clocks differ by minutes.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::TestPostgres;

use crate::harness::host::Host;
use crate::harness::receiver::Reply;
use crate::harness::relay::Relay;
use crate::harness::server::on;
use crate::harness::{Receiver, Server, Shim, wait_for};
use crate::verify::verify;

const LEASE_SECONDS: u64 = 3;
/// How long after the end of a lease others may take to have the lanes, in seconds.
const TAKE_OVER_SECONDS_MAX: u64 = 5;
/// Subscriptions, which the nodes share.
const SUBS: usize = 6;
/// How far a clock is off, in seconds.
const SKEW_SECONDS: i64 = 10 * 60;

fn lease() -> (String, String) {
    ("POSTRIDER_LEASE".to_owned(), format!("{LEASE_SECONDS}s"))
}

fn subscribe(server: &mut Server, integration: i64, callback_url: &str) {
    for number in 0..SUBS {
        server.subscribe(integration, &format!("s-{number}"), callback_url);
    }
}

/// How many lanes each node has that has any.
fn shares(server: &Server) -> Vec<i64> {
    let shares =
        "select count(*) from lanes l join nodes n on n.id = l.node_id group by n.id order by 1";
    server.numbers(shares)
}

fn wait_until_shared(server: &Server) {
    let half = i64::try_from(SUBS / 2).expect("few");
    wait_for("the nodes to share the lanes", || {
        (shares(server) == [half, half]).then_some(())
    });
}

fn jobs_of(receipt: &Value) -> Vec<Value> {
    let jobs = receipt["webhook_jobs"].as_array().expect("jobs").iter();
    jobs.map(|job| job["id"].clone()).collect()
}

#[test]
fn a_node_whose_link_to_the_database_is_cut_is_replaced_within_its_lease_and_five_seconds() {
    let Some(hosts) = Host::two() else {
        println!("SKIPPED: only root can make hosts of its own");
        return;
    };
    let database = Arc::<TestPostgres>::default();
    let relay = Relay::at(Ipv4Addr::UNSPECIFIED, database.socket());
    let receiver = Receiver::at(Ipv4Addr::UNSPECIFIED, |_, _| Reply::Status(200, Vec::new()));
    let callback_url = format!("http://{}:{}/", hosts[0].outside(), receiver.address.port());
    let token = Server::application_in(&database);
    let [mut cut, mut other] = hosts.each_ref().map(|host| {
        let way = database.url_by(relay.port());
        let way = way.replace("127.0.0.1", &host.database().to_string());
        let mut environment = on(&way);
        environment.push(lease());
        Server::start_at(host, &database, &token, environment)
    });
    let integration = other.integration("a");
    subscribe(&mut other, integration, &callback_url);
    wait_until_shared(&other);
    let before = cut.report(integration, "before", "scheduled");
    for job in jobs_of(&before) {
        other.wait_for_job(integration, &job, "delivered");
    }
    hosts[0].cut(true);
    let began = Instant::now();
    let after = other.report(integration, "after", "scheduled");
    for job in jobs_of(&after) {
        other.wait_for_job(integration, &job, "delivered");
    }
    let taken = began.elapsed();
    println!("all lanes are served by the other node after {taken:.1?}");
    assert!(taken <= Duration::from_secs(LEASE_SECONDS + TAKE_OVER_SECONDS_MAX));
    let (asked, requests) = (Instant::now(), receiver.count());
    let refused = cut.call("integrations/index", json!({}));
    assert_eq!(
        (refused.code, refused.status().as_str()),
        (503, "store-unavailable")
    );
    println!(
        "the node that is cut off says so after {:.1?}",
        asked.elapsed()
    );
    assert_eq!(receiver.count(), requests);
    hosts[0].cut(false);
    wait_until_shared(&other);
    let again = cut.report(integration, "again", "scheduled");
    for job in jobs_of(&again) {
        other.wait_for_job(integration, &job, "delivered");
    }
    assert_eq!(receiver.count(), 3 * SUBS, "nothing was sent twice");
}

#[test]
fn nodes_whose_clocks_differ_by_minutes_deliver_at_once_and_retry_in_time() {
    let database = Arc::<TestPostgres>::default();
    let (early, late) = (Shim::build(), Shim::build());
    early.shift_clock(SKEW_SECONDS);
    late.shift_clock(-SKEW_SECONDS);
    let environment = |shim: &Shim| {
        let mut environment = on(&database.url());
        environment.push(lease());
        environment.extend(shim.environment());
        environment
    };
    let mut first = Server::start_through(&database, environment(&early));
    let mut second = first.start_beside_with(&environment(&late));
    let receiver = Receiver::scripted(|request, _| {
        let is_first = request.header("postrider-attempt") == "1";
        Reply::Status(if is_first { 500 } else { 200 }, Vec::new())
    });
    let integration = first.integration("a");
    subscribe(&mut first, integration, &receiver.url("/"));
    wait_until_shared(&first);
    let began = Instant::now();
    for (number, node) in [&mut first, &mut second].into_iter().enumerate() {
        let receipt = node.report(integration, &format!("order-{number}"), "scheduled");
        for job in jobs_of(&receipt) {
            node.wait_for_job(integration, &job, "delivered");
        }
    }
    println!(
        "two changes, each refused once, arrived after {:.1?}",
        began.elapsed()
    );
    assert_eq!(receiver.count(), 2 * 2 * SUBS);
    // Each retry waited for its step, neither less nor minutes more.
    let steps = "select max(a.started_at) - min(a.started_at) from webhook_attempts a group by a.webhook_job_id";
    for step in first.numbers(steps) {
        assert!(
            (4_000_000..60_000_000).contains(&step),
            "{step} microseconds"
        );
    }
    // All of them go by the database's clock.
    let now = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint - max(created_at) from orders";
    let age = first.numbers(now)[0];
    assert!((0..60_000_000).contains(&age), "{age} microseconds");
    for request in receiver.received() {
        let signed: i64 = request
            .header("webhook-timestamp")
            .parse()
            .expect("a number");
        let now = first.numbers("select extract(epoch from clock_timestamp())::bigint")[0];
        assert!(
            (now - signed).abs() < 60,
            "signed at {signed}, and it is {now}"
        );
    }
    let (found, is_sound) = verify(&first, &[]);
    assert!(is_sound, "{found}");
}
