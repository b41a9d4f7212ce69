//! Deliveries as a receiver sees them, and jobs as their owner sees them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};

/// A schedule that a test can wait for.
const QUICK: &[&str] = &["--retry-schedule", "100ms"];

fn ok() -> Reply {
    Reply::Status(200, Vec::new())
}

fn job_of(receipt: &Value) -> Value {
    receipt["webhook_jobs"][0]["id"].clone()
}

#[test]
fn a_change_arrives_signed_and_its_job_tells_the_story() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/hook?x=1"));
    let receipt = server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(1).remove(0);
    assert_eq!(got.path, "/hook?x=1");
    assert_eq!(got.header("content-type"), "application/json");
    assert!(got.header("user-agent").starts_with("Postrider/"));
    assert_eq!(got.header("postrider-attempt"), "1");
    assert_eq!(
        got.header("postrider-order-id"),
        receipt["order_id"].to_string()
    );
    assert_eq!(got.header("postrider-sequence"), "1");
    let payload = got.json();
    assert_eq!(
        (&payload["status"], &payload["external_order_id"]),
        (&json!("scheduled"), &json!("A-1"))
    );
    let job = server.wait_for_job(integration, &job_of(&receipt), "delivered");
    assert_eq!(job["webhook_id"], got.header("webhook-id"));
    assert_eq!(
        (
            &job["attempts"][0]["status_code"],
            &job["attempts"][0]["outcome"]
        ),
        (&json!(200), &json!("delivered"))
    );
    assert_eq!(job["payload"], payload);
    assert_eq!(job["held_by"], json!(null));
}

#[test]
fn a_retry_sends_the_same_bytes_under_the_same_id() {
    let mut server = Server::start_with(QUICK);
    let receiver =
        Receiver::scripted(|_, before| Reply::Status(if before < 2 { 503 } else { 200 }, vec![]));
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let receipt = server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(3);
    for (index, delivery) in got.iter().enumerate() {
        assert_eq!(delivery.body, got[0].body);
        assert_eq!(delivery.header("webhook-id"), got[0].header("webhook-id"));
        assert_eq!(
            delivery.header("postrider-attempt"),
            (index + 1).to_string()
        );
    }
    let job = server.wait_for_job(integration, &job_of(&receipt), "delivered");
    let outcomes: Vec<&Value> = job["attempts"]
        .as_array()
        .expect("attempts")
        .iter()
        .map(|attempt| &attempt["status_code"])
        .collect();
    assert_eq!(outcomes, [&json!(503), &json!(503), &json!(200)]);
}

#[test]
fn retry_after_delays_the_next_attempt() {
    let mut server = Server::start_with(QUICK);
    let receiver =
        Receiver::scripted(|_, _| Reply::Status(503, vec!["retry-after: 3600".to_owned()]));
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let receipt = server.report(integration, "A-1", "scheduled");
    let job = server.wait_for_job(integration, &job_of(&receipt), "retrying");
    let next = job["next_attempt_at"].as_str().expect("a time").to_owned();
    let started = job["attempts"][0]["started_at"].as_str().expect("a time");
    assert!(
        next.as_str() > started && next[..13] > started[..13],
        "an hour later: {started} {next}"
    );
    assert_eq!(receiver.count(), 1);
    // A retry by hand does not wait.
    server
        .call(
            "webhook_jobs/retry",
            json!({ "integration_id": integration, "id": job_of(&receipt) }),
        )
        .data();
    receiver.wait_for(2);
}

#[test]
fn an_order_stays_in_order_while_others_go_on() {
    let mut server = Server::start_with(QUICK);
    let open = Arc::new(AtomicBool::new(false));
    let gate = open.clone();
    let receiver = Receiver::scripted(move |request, _| {
        let blocked = request.json()["external_order_id"] == "A" && !gate.load(Ordering::SeqCst);
        Reply::Status(if blocked { 500 } else { 200 }, vec![])
    });
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let first = server.report(integration, "A", "ordered");
    let second = server.report(integration, "A", "scheduled");
    server.report(integration, "A", "completed");
    let other = server.report(integration, "B", "ordered");
    server.wait_for_job(integration, &job_of(&other), "delivered");
    let held = server.job(integration, &job_of(&second));
    assert_eq!(
        (&held["state"], &held["held_by"]),
        (&json!("pending"), &job_of(&first))
    );
    open.store(true, Ordering::SeqCst);
    server.wait_for_job(integration, &job_of(&second), "delivered");
    let accepted = wait_for("all of A", || {
        let of_a: Vec<String> = receiver
            .received()
            .iter()
            .filter(|request| request.json()["external_order_id"] == "A")
            .map(|request| request.header("postrider-sequence").to_owned())
            .collect();
        of_a.contains(&"3".to_owned()).then_some(of_a)
    });
    assert!(accepted.is_sorted(), "{accepted:?}");
}

#[test]
fn a_payload_that_the_receiver_refuses_three_times_lets_its_successors_pass() {
    let mut server = Server::start_with(QUICK);
    let receiver = Receiver::scripted(|request, _| {
        Reply::Status(
            if request.header("postrider-sequence") == "1" {
                422
            } else {
                200
            },
            vec![],
        )
    });
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let first = server.report(integration, "A", "ordered");
    let second = server.report(integration, "A", "scheduled");
    server.wait_for_job(integration, &job_of(&second), "delivered");
    let refused = server.job(integration, &job_of(&first));
    assert_eq!(
        (&refused["state"], &refused["passed"]),
        (&json!("retrying"), &json!(true))
    );
    assert!(
        refused["attempts"]
            .as_array()
            .is_some_and(|attempts| attempts.len() >= 3)
    );
}

#[test]
fn waiting_jobs_can_be_canceled_and_final_ones_repeated() {
    let mut server = Server::start_with(&["--retry-schedule", "1h"]);
    let receiver = Receiver::scripted(|_, before| {
        if before == 0 {
            Reply::Status(500, vec![])
        } else {
            ok()
        }
    });
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let first = server.report(integration, "A", "ordered");
    let second = server.report(integration, "A", "scheduled");
    server.wait_for_job(integration, &job_of(&first), "retrying");
    let by_id = |id: &Value| json!({ "integration_id": integration, "id": id });
    let canceled = server
        .call("webhook_jobs/cancel", by_id(&job_of(&first)))
        .data();
    assert_eq!(canceled["state"], "canceled");
    server.wait_for_job(integration, &job_of(&second), "delivered");
    let refused = server.call("webhook_jobs/cancel", by_id(&job_of(&second)));
    assert_eq!(
        (refused.status().as_str(), refused.attrs()),
        ("invalid-param", vec!["id".to_owned()])
    );
    let again = server
        .call("webhook_jobs/retry", by_id(&job_of(&second)))
        .data();
    assert_eq!(again["retry_of"], job_of(&second));
    let repeated = server.wait_for_job(integration, &again["id"], "delivered");
    assert_ne!(
        repeated["webhook_id"],
        server.job(integration, &job_of(&second))["webhook_id"]
    );
    let got = receiver.received();
    assert_eq!(got[1].body, got[2].body);
}

#[test]
fn gone_switches_the_subscription_off_until_it_is_switched_on() {
    let mut server = Server::start_with(QUICK);
    let receiver = Receiver::scripted(|_, before| {
        if before == 0 {
            Reply::Status(410, vec![])
        } else {
            ok()
        }
    });
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let receipt = server.report(integration, "A", "ordered");
    let by_id = json!({ "integration_id": integration, "id": sub["id"] });
    let off = wait_for("the subscription to be off", || {
        let shown = server.call("webhook_out_subs/show", by_id.clone()).data();
        (shown["active"] == false).then_some(shown)
    });
    assert_eq!(
        (&off["health"]["state"], &off["health"]["reason"]),
        (&json!("off"), &json!("gone"))
    );
    assert_eq!(
        server.report(integration, "A", "scheduled")["webhook_jobs"],
        json!([])
    );
    let mut on = by_id;
    on["active"] = json!(true);
    on["version"] = json!("v3");
    assert_eq!(
        server.call("webhook_out_subs/update", on).data()["health"]["state"],
        "healthy"
    );
    server.wait_for_job(integration, &job_of(&receipt), "delivered");
}

#[test]
fn switched_off_by_hand_holds_what_waits_and_makes_no_more() {
    let mut server = Server::start_with(QUICK);
    let open = Arc::new(AtomicBool::new(false));
    let gate = open.clone();
    let receiver = Receiver::scripted(move |_, _| {
        Reply::Status(
            if gate.load(Ordering::SeqCst) {
                200
            } else {
                500
            },
            vec![],
        )
    });
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let receipt = server.report(integration, "A", "ordered");
    server.wait_for_job(integration, &job_of(&receipt), "retrying");
    let set = |active: bool| json!({ "integration_id": integration, "id": sub["id"], "version": "v3", "active": active });
    server.call("webhook_out_subs/update", set(false)).data();
    open.store(true, Ordering::SeqCst);
    assert_eq!(
        server.report(integration, "B", "ordered")["webhook_jobs"],
        json!([])
    );
    server.call("webhook_out_subs/update", set(true)).data();
    server.wait_for_job(integration, &job_of(&receipt), "delivered");
}

#[test]
fn a_deleted_subscription_cancels_what_waits_and_frees_its_key() {
    let mut server = Server::start_with(&["--retry-schedule", "1h"]);
    let receiver = Receiver::scripted(|_, _| Reply::Status(500, vec![]));
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let receipt = server.report(integration, "A", "ordered");
    server.wait_for_job(integration, &job_of(&receipt), "retrying");
    let by_id = json!({ "integration_id": integration, "id": sub["id"] });
    server.call("webhook_out_subs/delete", by_id.clone()).data();
    server.wait_for_job(integration, &job_of(&receipt), "canceled");
    assert_eq!(
        server.call("webhook_out_subs/show", by_id).status(),
        "invalid-param"
    );
    server.subscribe(integration, "crm", &receiver.url("/"));
}

#[test]
fn one_endpoint_that_never_answers_delays_no_other() {
    let mut server = Server::start();
    let silent = Receiver::scripted(|_, _| Reply::Silence);
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "silent", &silent.url("/"));
    server.subscribe(integration, "live", &receiver.url("/"));
    for order in 0..200 {
        server.report(integration, &format!("A-{order}"), "ordered");
    }
    receiver.wait_for(200);
    assert!(silent.count() <= 32, "{}", silent.count());
}

#[test]
fn callbacks_to_this_machine_are_refused_unless_allowed() {
    let mut server = Server::start_with(&["--egress-allow", "10.0.0.0/8"]);
    let integration = server.integration("a");
    for url in [
        "http://127.0.0.1:1/",
        "http://localhost/",
        "http://[::1]/",
        "http://2130706433/",
    ] {
        let refused = server.call(
            "webhook_out_subs/create",
            json!({ "integration_id": integration, "key": "a", "name": "A", "callback_url": url, "version": "v3" }),
        );
        assert_eq!(
            (refused.status().as_str(), refused.attrs()),
            ("invalid-param", vec!["callback_url".to_owned()]),
            "{url}"
        );
        assert!(refused.text.contains("egress.allow"), "{}", refused.text);
    }
}

#[test]
fn a_test_is_sent_marked_and_outside_the_ordering() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let test = server
        .call(
            "webhook_out_subs/send_test",
            json!({ "integration_id": integration, "id": sub["id"] }),
        )
        .data();
    assert_eq!(
        (&test["test"], &test["order_id"]),
        (&json!(true), &json!(null))
    );
    let got = receiver.wait_for(1).remove(0);
    assert_eq!(got.json()["external_order_id"], "SAMPLE-ORDER");
    server.wait_for_job(integration, &test["id"], "delivered");
}

#[test]
fn a_looser_ordering_lets_what_is_held_go_out() {
    let mut server = Server::start_with(&["--retry-schedule", "1h"]);
    let receiver = Receiver::scripted(|request, _| {
        let is_first = request.header("postrider-sequence") == "1";
        Reply::Status(if is_first { 500 } else { 200 }, vec![])
    });
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let first = server.report(integration, "A", "ordered");
    let second = server.report(integration, "A", "scheduled");
    server.wait_for_job(integration, &job_of(&first), "retrying");
    assert_eq!(
        server.job(integration, &job_of(&second))["held_by"],
        job_of(&first)
    );
    let looser = json!({ "integration_id": integration, "id": sub["id"], "version": "v3", "ordering": "none" });
    server.call("webhook_out_subs/update", looser).data();
    server.wait_for_job(integration, &job_of(&second), "delivered");
}
