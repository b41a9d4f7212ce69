//! Work on many jobs after a trouble: retried, replayed, caught up with, each exactly once and also across a kill.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Received, Receiver, Server, wait_for, with};

/// A receiver whose answer changes.
fn receiver(answer: &Arc<AtomicU16>) -> Receiver {
    let answer = answer.clone();
    Receiver::scripted(move |_, _| Reply::Status(answer.load(Ordering::SeqCst), Vec::new()))
}

/// A subscription to everything with these parameters more; its id.
fn subscribe(server: &mut Server, integration: i64, key: &str, url: &str, more: &Value) -> Value {
    let parameters = with(
        json!({ "integration_id": integration, "key": key, "name": key, "callback_url": url,
        "statuses": ["*"], "version": "v3" }),
        more,
    );
    server.call("webhook_out_subs/create", parameters).data()["id"].clone()
}

/// A recovery that has ended.
fn finished(server: &mut Server, integration: i64, id: &Value) -> Value {
    wait_for("the recovery to end", || {
        let shown = server.call(
            "webhook_jobs/retry_many",
            json!({ "integration_id": integration, "id": id }),
        );
        let shown = shown.data();
        (shown["state"] == "finished").then_some(shown)
    })
}

/// How often each change came.
fn times(received: &[Received]) -> HashMap<i64, usize> {
    let mut times = HashMap::new();
    for request in received {
        let stage = request.json()["order_stage_id"].as_i64().expect("an id");
        *times.entry(stage).or_default() += 1;
    }
    times
}

/// Orders whose only jobs are exhausted.
fn exhaust(server: &mut Server, integration: i64, orders: usize) {
    let mut jobs = Vec::new();
    for order in 0..orders {
        let receipt = server.report(integration, &order.to_string(), "ordered");
        jobs.push(receipt["webhook_jobs"][0]["id"].clone());
    }
    for job in jobs {
        server.wait_for_job(integration, &job, "exhausted");
    }
}

#[test]
fn many_exhausted_jobs_are_retried_once_each_though_the_server_is_killed_in_between() {
    // Fewer than would make the lane rest, and jobs wait for ever.
    const ORDERS: usize = 15;
    let answer = Arc::new(AtomicU16::new(400));
    let receiver = receiver(&answer);
    let mut server = Server::start();
    let integration = server.integration("a");
    let short = json!({ "retry_policy": { "schedule": ["1s"], "give_up_after": "1s" } });
    subscribe(&mut server, integration, "crm", &receiver.url("/"), &short);
    exhaust(&mut server, integration, ORDERS);
    answer.store(200, Ordering::SeqCst);
    let filters = json!({ "state": ["exhausted"], "subscribers": ["crm"] });
    let asked = json!({ "integration_id": integration, "filters": filters, "preview": true });
    let preview = server.call("webhook_jobs/retry_many", asked).data();
    assert_eq!(
        (&preview["id"], &preview["state"], &preview["matched"]),
        (&Value::Null, &json!("preview"), &json!(ORDERS))
    );
    let before = receiver.count();
    let begin = json!({ "integration_id": integration, "filters": filters, "per_second": 20,
        "idempotency_key": "once" });
    let begun = server.call("webhook_jobs/retry_many", begin.clone()).data();
    assert_eq!(begun["state"], "running");
    let again = server.call("webhook_jobs/retry_many", begin).data();
    assert_eq!(
        (&again["id"], &again["replayed"]),
        (&begun["id"], &json!(true))
    );
    wait_for("some to be retried", || {
        (receiver.count() > before).then_some(())
    });
    server.kill();
    server.restart();
    let ended = finished(&mut server, integration, &begun["id"]);
    assert_eq!(
        (&ended["looked_at"], &ended["made"]),
        (&json!(ORDERS), &json!(ORDERS))
    );
    let listed = server.call(
        "webhook_jobs/index",
        json!({ "integration_id": integration, "count": true, "page": { "size": 200 } }),
    );
    assert_eq!(listed.json()["count"], json!(2 * ORDERS));
    for job in listed.data().as_array().expect("jobs") {
        if !job["retry_of"].is_null() {
            server.wait_for_job(integration, &job["id"], "delivered");
        }
    }
    let events = server.call("audit_events/index", json!({})).text;
    assert!(events.contains("\"recovery\""), "{events}");
}

#[test]
fn a_recovery_can_be_stopped_and_bad_ones_are_refused() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let sub = subscribe(
        &mut server,
        integration,
        "crm",
        &receiver.url("/"),
        &json!({}),
    );
    for order in 0..5 {
        let receipt = server.report(integration, &order.to_string(), "ordered");
        server.wait_for_job(integration, &receipt["webhook_jobs"][0]["id"], "delivered");
    }
    let slow = json!({ "integration_id": integration, "filters": { "state": ["delivered"] }, "per_second": 1 });
    let begun = server.call("webhook_jobs/retry_many", slow).data();
    let cancel = json!({ "integration_id": integration, "id": begun["id"], "cancel": true });
    let canceled = server
        .call("webhook_jobs/retry_many", cancel.clone())
        .data();
    assert_eq!(canceled["state"], "canceled");
    assert!(canceled["made"].as_i64() < Some(5));
    assert_eq!(
        server.call("webhook_jobs/retry_many", cancel).attrs(),
        ["id"]
    );
    let refused = |server: &mut Server, route: &str, mut parameters: Value| {
        parameters["integration_id"] = json!(integration);
        server.call(route, parameters).attrs()
    };
    let many = "webhook_jobs/retry_many";
    assert_eq!(refused(&mut server, many, json!({ "id": 999 })), ["id"]);
    assert_eq!(
        refused(&mut server, many, json!({ "cancel": true })),
        ["id"]
    );
    assert_eq!(
        refused(&mut server, many, json!({ "id": 1, "preview": true })),
        ["preview"]
    );
    let replay = "webhook_jobs/replay";
    assert_eq!(
        refused(&mut server, replay, json!({})),
        ["webhook_out_sub_id", "accepted_from"]
    );
    let times = json!({ "webhook_out_sub_id": 999, "accepted_from": "2026-01-01T00:00:00Z",
        "accepted_until": "2025-01-01T00:00:00Z" });
    assert_eq!(refused(&mut server, replay, times), ["accepted_until"]);
    let unknown = json!({ "webhook_out_sub_id": 999, "accepted_from": "2026-01-01T00:00:00Z" });
    assert_eq!(
        refused(&mut server, replay, unknown),
        ["webhook_out_sub_id"]
    );
    let future = json!({ "id": sub, "since": "2999-01-01T00:00:00Z" });
    assert_eq!(
        refused(&mut server, "webhook_out_subs/enable", future),
        ["since"]
    );
}

#[test]
fn a_subscription_that_was_off_catches_up_in_order_before_new_changes() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let ordering = json!({ "ordering": "subscription" });
    let sub = subscribe(
        &mut server,
        integration,
        "crm",
        &receiver.url("/"),
        &ordering,
    );
    let id = json!({ "integration_id": integration, "id": sub, "version": "v3", "active": false });
    let first = server.report(integration, "order-0", "ordered");
    receiver.wait_for(1);
    server.call("webhook_out_subs/update", id).data();
    let missed: Vec<Value> = (0..30)
        .map(|number| server.report(integration, &format!("order-{}", number % 3), "scheduled"))
        .collect();
    assert!(
        missed
            .iter()
            .all(|receipt| receipt["webhook_jobs"] == json!([]))
    );
    let enable = json!({ "integration_id": integration, "id": sub, "since": "2020-01-01T00:00:00Z",
        "per_second": 20 });
    let enabled = server
        .call("webhook_out_subs/enable", enable.clone())
        .data();
    assert_eq!(
        (&enabled["active"], &enabled["catching_up"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        server.call("webhook_out_subs/enable", enable).attrs(),
        ["since"]
    );
    // New changes come meanwhile, and wait for their turn.
    let fresh = server.report(integration, "order-1", "completed");
    assert_eq!(fresh["webhook_jobs"], json!([]));
    let ids = json!({ "integration_id": integration, "id": fresh["id"] });
    let trace = server.call("order_stages/show", ids).data();
    let message = trace["match_trace"][0]["message"]
        .as_str()
        .expect("words")
        .to_owned();
    assert!(message.contains("catches up"), "{message}");
    let recovery = enabled["recovery"]["id"].clone();
    let ended = finished(&mut server, integration, &recovery);
    assert_eq!(ended["made"], json!(31));
    let last = server.report(integration, "order-2", "completed");
    assert_eq!(last["webhook_jobs"].as_array().map(Vec::len), Some(1));
    let came: Vec<i64> = receiver
        .wait_for(33)
        .iter()
        .map(|request| request.json()["order_stage_id"].as_i64().expect("an id"))
        .collect();
    let receipts = [first].into_iter().chain(missed).chain([fresh, last]);
    let reported: Vec<i64> = receipts
        .map(|receipt| receipt["id"].as_i64().expect("an id"))
        .collect();
    assert_eq!(came, reported);
}

#[test]
fn a_time_is_replayed_to_another_subscription_that_wants_it() {
    let mut server = Server::start();
    let (old, new) = (Receiver::start(), Receiver::start());
    let integration = server.integration("a");
    subscribe(&mut server, integration, "old", &old.url("/"), &json!({}));
    let mut wanted = Vec::new();
    for number in 0..10 {
        let stage = if number % 2 == 0 { "scheduled" } else { "hold" };
        let receipt = server.report(integration, &number.to_string(), stage);
        if number % 2 == 0 {
            wanted.push(receipt["id"].as_i64().expect("an id"));
        }
    }
    let only = json!({ "statuses": ["scheduled"] });
    let sub = subscribe(&mut server, integration, "new", &new.url("/"), &only);
    let replay = json!({ "integration_id": integration, "webhook_out_sub_id": sub,
        "accepted_from": "2020-01-01T00:00:00Z" });
    let begun = server.call("webhook_jobs/replay", replay).data();
    assert_eq!(
        (&begun["kind"], &begun["matched"]),
        (&json!("replay"), &json!(10))
    );
    let ended = finished(&mut server, integration, &begun["id"]);
    assert_eq!(ended["made"], json!(5));
    let came = times(&new.wait_for(5));
    assert_eq!(came, wanted.into_iter().map(|id| (id, 1)).collect());
    assert_eq!(old.count(), 10);
}

#[test]
fn a_retry_sends_the_same_bytes_unless_they_are_to_be_rendered_anew() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let sub = subscribe(
        &mut server,
        integration,
        "crm",
        &receiver.url("/"),
        &json!({}),
    );
    let change = json!({ "integration_id": integration, "external_order_id": "A", "create_order": true,
        "stage": "scheduled", "order": { "order_notes": "ring once" } });
    let receipt = server.call("order_stages/create", change).data();
    let job = receipt["webhook_jobs"][0]["id"].clone();
    server.wait_for_job(integration, &job, "delivered");
    let update = json!({ "integration_id": integration, "id": receipt["order_id"], "order_notes": "ring twice" });
    server.call("orders/update", update).data();
    let mut retry = |rerender: bool| {
        let retry = json!({ "integration_id": integration, "id": job, "rerender": rerender });
        server.call("webhook_jobs/retry", retry).data()
    };
    retry(false);
    let got = receiver.wait_for(2);
    assert_eq!(got[0].body, got[1].body);
    retry(true);
    let got = receiver.wait_for(3);
    let text = String::from_utf8(got[2].body.clone()).expect("text");
    assert!(
        text.contains("ring twice") && !text.contains("ring once"),
        "{text}"
    );
    let test = json!({ "integration_id": integration, "id": sub });
    let test = server.call("webhook_out_subs/send_test", test).data();
    let retry = json!({ "integration_id": integration, "id": test["id"], "rerender": true });
    assert_eq!(
        server.call("webhook_jobs/retry", retry).attrs(),
        ["rerender"]
    );
}
