//! Traps that other senders of webhooks are known to have fallen into, each shown not to be here. Which test shows what
//! is listed in `docs/reliability.md`; those that need no more than a few lines stand here.

use std::sync::{Arc, Condvar, Mutex};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;

use crate::harness::{PATIENCE, Receiver, Server, wait_for};
use crate::unavailable::Holder;

fn jobs_of(receipt: &Value) -> Vec<Value> {
    let jobs = receipt["webhook_jobs"].as_array().expect("jobs").iter();
    jobs.map(|job| job["id"].clone()).collect()
}

/// A failure while the change is stored must not use up its idempotency key.
#[test]
fn a_change_that_could_not_be_stored_is_taken_when_it_comes_again_under_its_key() {
    let mut server = Server::start_embedded();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let holder = Holder::of(&server);
    let change = json!({ "integration_id": integration, "external_order_id": "A", "create_order": true,
        "stage": "ordered", "idempotency_key": "once" });
    let refused = server.call("order_stages/create", change.clone());
    assert_eq!(refused.status(), "store-unavailable");
    holder.end();
    let accepted = server.call("order_stages/create", change.clone()).data();
    assert_eq!(
        accepted.get("replayed"),
        None,
        "nothing was kept of the first"
    );
    let again = server.call("order_stages/create", change).data();
    assert_eq!(
        (&again["id"], &again["replayed"]),
        (&accepted["id"], &json!(true))
    );
    server.wait_for_job(integration, &jobs_of(&accepted)[0], "delivered");
    assert_eq!(receiver.count(), 1);
}

/// Deliveries of one change are apart from each other: the slowest holds up nobody, and the failure of one repeats none.
#[test]
fn of_one_change_neither_a_silent_receiver_nor_a_failing_one_touches_the_others() {
    let mut server = Server::start_with(&["--retry-schedule", "100ms"]);
    let receiver = Receiver::scripted(|request, before| match request.path.as_str() {
        "/silent" => Reply::Silence,
        "/failing" if before < 6 => Reply::Status(500, Vec::new()),
        _ => Reply::Status(200, Vec::new()),
    });
    let integration = server.integration("a");
    for key in ["silent", "failing", "good-1", "good-2", "good-3"] {
        server.subscribe(integration, key, &receiver.url(&format!("/{key}")));
    }
    let jobs = jobs_of(&server.report(integration, "A", "ordered"));
    for job in &jobs[1..] {
        server.wait_for_job(integration, job, "delivered");
    }
    let count = |path: &str| {
        let came = receiver.received();
        came.iter().filter(|request| request.path == path).count()
    };
    assert!(count("/failing") > 1);
    for path in ["/good-1", "/good-2", "/good-3", "/silent"] {
        assert_eq!(count(path), 1, "{path}");
    }
}

/// A redirect is no success, and leads nowhere.
#[test]
fn a_redirect_is_a_failure_that_shows_where_it_pointed() {
    let mut server = Server::start();
    let elsewhere = Receiver::start();
    let target = elsewhere.url("/elsewhere");
    let location = format!("location: {target}");
    let receiver = Receiver::scripted(move |request, _| {
        let status = request
            .path
            .trim_start_matches('/')
            .parse()
            .expect("a status");
        Reply::Status(status, vec![location.clone()])
    });
    let integration = server.integration("a");
    let statuses = [301, 302, 303, 307, 308];
    for status in statuses {
        server.subscribe(
            integration,
            &status.to_string(),
            &receiver.url(&format!("/{status}")),
        );
    }
    let jobs = jobs_of(&server.report(integration, "A", "ordered"));
    for (job, status) in jobs.iter().zip(statuses) {
        let job = server.wait_for_job(integration, job, "retrying");
        let attempt = &job["attempts"][0];
        assert_eq!(
            (&attempt["outcome"], &attempt["status_code"]),
            (&json!("endpoint_fault"), &json!(status))
        );
        assert!(
            attempt["answer_headers"].to_string().contains(&target),
            "{attempt}"
        );
    }
    assert_eq!(elsewhere.count(), 0);
}

/// A subscription that states nothing is not sent to one request at a time.
#[test]
fn different_orders_are_under_way_at_once_unless_somebody_says_otherwise() {
    let gate = Arc::new((Mutex::new(0), Condvar::new()));
    let shared = gate.clone();
    // Nobody is answered before there are three.
    let receiver = Receiver::scripted(move |_, _| {
        let (count, changed) = &*shared;
        let mut here = count.lock().expect("no panic");
        *here += 1;
        changed.notify_all();
        let waited = changed.wait_timeout_while(here, PATIENCE, |here| *here < 3);
        let timed_out = waited.expect("no panic").1.timed_out();
        Reply::Status(if timed_out { 500 } else { 200 }, Vec::new())
    });
    let mut server = Server::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let receipts: Vec<Value> = (0..3)
        .map(|order| server.report(integration, &order.to_string(), "ordered"))
        .collect();
    for receipt in receipts {
        let job = server.wait_for_job(integration, &jobs_of(&receipt)[0], "delivered");
        assert_eq!(job["attempt_count"], 1);
    }
}

/// Jobs are not taken oldest first across all customers: one's backlog is its own.
#[test]
fn a_backlog_of_one_integration_keeps_no_other_waiting() {
    const WAITING: usize = 400;
    let mut server = Server::start();
    let receiver = Receiver::scripted(|request, _| match request.path.as_str() {
        "/silent" => Reply::Silence,
        _ => Reply::Status(200, Vec::new()),
    });
    let (slow, quick) = (server.integration("slow"), server.integration("quick"));
    server.subscribe(slow, "silent", &receiver.url("/silent"));
    server.subscribe(quick, "good", &receiver.url("/good"));
    let stages: Vec<Value> = (0..WAITING)
        .map(|order| json!({ "external_order_id": order.to_string(), "create_order": true, "stage": "ordered" }))
        .collect();
    server.call(
        "order_stages/create_many",
        json!({ "integration_id": slow, "stages": stages }),
    );
    wait_for("the first to be under way", || {
        (receiver.count() > 0).then_some(())
    });
    for order in 0..20 {
        let receipt = server.report(quick, &order.to_string(), "ordered");
        server.wait_for_job(quick, &jobs_of(&receipt)[0], "delivered");
    }
    let under_way = receiver
        .received()
        .iter()
        .filter(|request| request.path == "/silent")
        .count();
    assert!(
        under_way <= 32,
        "{under_way} of {WAITING} are under way at once"
    );
}
