//! Jobs that recoveries make late: they neither overtake, nor replace, nor lose what is newer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for, with};
use crate::verify::verify;

/// When nothing had happened yet.
const LONG_AGO: &str = "2020-01-01T00:00:00Z";

/// A receiver whose answer changes.
fn receiver(answer: &Arc<AtomicU16>) -> Receiver {
    let answer = answer.clone();
    Receiver::scripted(move |_, _| Reply::Status(answer.load(Ordering::SeqCst), Vec::new()))
}

fn subscribe(server: &mut Server, integration: i64, url: &str, more: &Value) -> Value {
    let parameters = with(
        json!({ "integration_id": integration, "key": "crm", "name": "crm", "callback_url": url,
        "statuses": ["*"], "version": "v3",
        "retry_policy": { "schedule": ["200ms"], "give_up_after": "1h" } }),
        more,
    );
    server.call("webhook_out_subs/create", parameters).data()["id"].clone()
}

fn switch(server: &mut Server, integration: i64, sub: &Value, active: bool) {
    let update =
        json!({ "integration_id": integration, "id": sub, "version": "v3", "active": active });
    server.call("webhook_out_subs/update", update).data();
}

fn enable(server: &mut Server, integration: i64, sub: &Value, more: &Value) -> Value {
    let parameters = with(
        json!({ "integration_id": integration, "id": sub, "since": LONG_AGO }),
        more,
    );
    server.call("webhook_out_subs/enable", parameters).data()
}

fn recovery(server: &mut Server, integration: i64, id: &Value, more: &Value) -> Value {
    let parameters = with(json!({ "integration_id": integration, "id": id }), more);
    server.call("webhook_jobs/retry_many", parameters).data()
}

fn ended(server: &mut Server, integration: i64, id: &Value) -> Value {
    wait_for("the recovery to end", || {
        let shown = recovery(server, integration, id, &json!({}));
        (!shown["finished_at"].is_null()).then_some(shown)
    })
}

/// The sequences of the order's changes, as they came for the first time each.
fn sequences(receiver: &Receiver) -> Vec<i64> {
    let mut sequences = Vec::new();
    for request in receiver.received() {
        let sequence = request
            .header("postrider-sequence")
            .parse()
            .expect("a number");
        if !sequences.contains(&sequence) {
            sequences.push(sequence);
        }
    }
    sequences
}

/// An order whose first change was missed, and whose second waits at a receiver that fails.
fn missed_one(server: &mut Server, integration: i64, sub: &Value) -> Value {
    switch(server, integration, sub, false);
    server.report(integration, "A", "ordered");
    switch(server, integration, sub, true);
    let newer = server.report(integration, "A", "scheduled");
    let job = newer["webhook_jobs"][0]["id"].clone();
    server.wait_for_job(integration, &job, "retrying");
    job
}

#[test]
fn who_wants_the_newest_only_gets_no_older_change_after_it() {
    let answer = Arc::new(AtomicU16::new(500));
    let receiver = receiver(&answer);
    let mut server = Server::start();
    let integration = server.integration("a");
    let sub = subscribe(
        &mut server,
        integration,
        &receiver.url("/"),
        &json!({ "supersede": true }),
    );
    let newer = missed_one(&mut server, integration, &sub);
    let enabled = enable(&mut server, integration, &sub, &json!({}));
    let ended = ended(&mut server, integration, &enabled["recovery"]["id"]);
    assert_eq!(ended["made"], json!(0));
    answer.store(200, Ordering::SeqCst);
    server.wait_for_job(integration, &newer, "delivered");
    assert_eq!(sequences(&receiver), [2]);
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
}

#[test]
fn a_change_that_comes_too_late_for_the_order_stands_outside_of_it() {
    let answer = Arc::new(AtomicU16::new(500));
    let receiver = receiver(&answer);
    let mut server = Server::start();
    let integration = server.integration("a");
    let sub = subscribe(&mut server, integration, &receiver.url("/"), &json!({}));
    let newer = missed_one(&mut server, integration, &sub);
    let enabled = enable(&mut server, integration, &sub, &json!({}));
    let ended = ended(&mut server, integration, &enabled["recovery"]["id"]);
    assert_eq!(ended["made"], json!(1));
    answer.store(200, Ordering::SeqCst);
    server.wait_for_job(integration, &newer, "delivered");
    wait_for("both to come", || {
        (sequences(&receiver).len() == 2).then_some(())
    });
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
}

#[test]
fn whoever_stops_catching_up_loses_nothing_of_what_came_since() {
    let answer = Arc::new(AtomicU16::new(200));
    let receiver = receiver(&answer);
    let mut server = Server::start();
    let integration = server.integration("a");
    let sub = subscribe(&mut server, integration, &receiver.url("/"), &json!({}));
    switch(&mut server, integration, &sub, false);
    for order in 0..50 {
        server.report(integration, &format!("missed-{order}"), "ordered");
    }
    let enabled = enable(&mut server, integration, &sub, &json!({ "per_second": 1 }));
    let id = &enabled["recovery"]["id"];
    let since: Vec<Value> = (0..10)
        .map(|order| server.report(integration, &format!("since-{order}"), "ordered"))
        .collect();
    let stopped = recovery(&mut server, integration, id, &json!({ "cancel": true }));
    assert_eq!(stopped["state"], "canceling");
    let ended = ended(&mut server, integration, id);
    assert_eq!(ended["state"], "canceled");
    let came = wait_for("what came since to be delivered", || {
        let came: Vec<i64> = receiver
            .received()
            .iter()
            .map(|request| request.json()["order_stage_id"].as_i64().expect("an id"))
            .collect();
        let has_all = since
            .iter()
            .all(|receipt| came.contains(&receipt["id"].as_i64().expect("an id")));
        has_all.then_some(came)
    });
    assert!(came.len() < 60, "what was missed before is left");
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
}

#[test]
fn what_came_while_it_was_switched_off_again_is_not_caught_up_with() {
    let answer = Arc::new(AtomicU16::new(200));
    let receiver = receiver(&answer);
    let mut server = Server::start();
    let integration = server.integration("a");
    let sub = subscribe(&mut server, integration, &receiver.url("/"), &json!({}));
    switch(&mut server, integration, &sub, false);
    server.report(integration, "missed-1", "ordered");
    server.report(integration, "missed-2", "ordered");
    let enabled = enable(&mut server, integration, &sub, &json!({ "per_second": 1 }));
    server.report(integration, "since", "ordered");
    switch(&mut server, integration, &sub, false);
    let off = server.report(integration, "off", "ordered");
    switch(&mut server, integration, &sub, true);
    ended(&mut server, integration, &enabled["recovery"]["id"]);
    let ids = json!({ "integration_id": integration, "id": off["id"] });
    let trace = server.call("order_stages/show", ids).data()["match_trace"].clone();
    assert_eq!(
        (&trace[0]["verdict"], &trace[0]["webhook_job_id"]),
        (&json!("inactive"), &Value::Null)
    );
    let listed = server.call(
        "webhook_jobs/index",
        json!({ "integration_id": integration }),
    );
    assert_eq!(listed.data().as_array().map(Vec::len), Some(3));
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
}

#[test]
fn a_job_that_was_repeated_is_not_repeated_once_more() {
    let answer = Arc::new(AtomicU16::new(400));
    let receiver = receiver(&answer);
    let mut server = Server::start();
    let integration = server.integration("a");
    let short = json!({ "retry_policy": { "schedule": ["1s"], "give_up_after": "1s" } });
    subscribe(&mut server, integration, &receiver.url("/"), &short);
    let receipt = server.report(integration, "A", "ordered");
    let job = &receipt["webhook_jobs"][0]["id"];
    server.wait_for_job(integration, job, "exhausted");
    answer.store(200, Ordering::SeqCst);
    let retry = json!({ "integration_id": integration, "id": job });
    let again = server.call("webhook_jobs/retry", retry).data();
    server.wait_for_job(integration, &again["id"], "delivered");
    let begun = server
        .call(
            "webhook_jobs/retry_many",
            json!({ "integration_id": integration }),
        )
        .data();
    assert_eq!(begun["matched"], json!(1));
    assert_eq!(
        ended(&mut server, integration, &begun["id"])["made"],
        json!(0)
    );
}
