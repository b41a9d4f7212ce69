//! How a subscription wants to be delivered to: its headers, its retries, its rate, the newest only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};

/// A receiver whose answer changes.
fn receiver(answer: &Arc<AtomicU16>) -> Receiver {
    let answer = answer.clone();
    Receiver::scripted(move |_, _| Reply::Status(answer.load(Ordering::SeqCst), Vec::new()))
}

/// A subscription to everything with these parameters more; the whole answer.
fn subscribe(
    server: &mut Server,
    integration: i64,
    url: &str,
    more: Value,
) -> crate::harness::Answer {
    let mut parameters = json!({
        "integration_id": integration, "key": "crm", "name": "CRM", "callback_url": url,
        "statuses": ["*"], "version": "v3"
    });
    for (name, value) in more.as_object().expect("an object") {
        parameters[name] = value.clone();
    }
    server.call("webhook_out_subs/create", parameters)
}

fn job_of(receipt: &Value) -> Value {
    receipt["webhook_jobs"][0]["id"].clone()
}

#[test]
fn headers_are_sent_and_secrets_are_seen_by_the_receiver_only() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let headers = json!([
        { "name": "X-Api-Key", "value": "hunter2-hunter2", "secret": true },
        { "name": "x-tenant", "value": "acme" },
    ]);
    let sub = subscribe(
        &mut server,
        integration,
        &receiver.url("/"),
        json!({ "headers": headers }),
    );
    let sub = sub.data();
    let masked = json!([
        { "name": "X-Api-Key", "value": "********", "secret": true },
        { "name": "x-tenant", "value": "acme", "secret": false },
    ]);
    assert_eq!(sub["headers"], masked);
    server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(1).remove(0);
    assert_eq!(got.header("x-api-key"), "hunter2-hunter2");
    assert_eq!(got.header("x-tenant"), "acme");
    let id = json!({ "integration_id": integration, "id": sub["id"] });
    assert_eq!(
        server.call("webhook_out_subs/show", id.clone()).data()["headers"],
        masked
    );
    // Neither the files nor the audit trail tell the secret.
    let events = server.call("audit_events/index", json!({ "page": { "size": 200 } }));
    assert!(!events.text.contains("hunter2"));
    for file in ["postrider.db", "postrider.db-wal"] {
        let bytes = std::fs::read(server.folder().join(file)).unwrap_or_default();
        let is_there = bytes.windows(7).any(|window| window == b"hunter2");
        assert!(!is_there, "{file}");
    }
    // An update that leaves them out keeps them; one that names them replaces all.
    let update = |server: &mut Server, changes: Value| {
        let mut parameters = id.clone();
        parameters["version"] = json!("v3");
        for (name, value) in changes.as_object().expect("an object") {
            parameters[name] = value.clone();
        }
        server.call("webhook_out_subs/update", parameters)
    };
    update(&mut server, json!({ "name": "Other" })).data();
    server.report(integration, "A-2", "scheduled");
    assert_eq!(
        receiver.wait_for(2)[1].header("x-api-key"),
        "hunter2-hunter2"
    );
    let refused = update(&mut server, json!({ "headers": masked }));
    assert_eq!(refused.attrs(), ["headers[0].value"]);
    update(&mut server, json!({ "headers": null })).data();
    server.report(integration, "A-3", "scheduled");
    let bare = &receiver.wait_for(3)[2];
    assert!(
        bare.headers
            .iter()
            .all(|(name, _)| name != "x-api-key" && name != "x-tenant")
    );
}

#[test]
fn bad_policies_are_refused_by_place() {
    let mut server = Server::start();
    let integration = server.integration("a");
    let cases = [
        (
            json!({ "headers": [{ "name": "Host", "value": "a" }] }),
            vec!["headers[0].name"],
        ),
        (
            json!({ "headers": [{ "name": "a", "value": "b\r\nc: d" }] }),
            vec!["headers[0].value"],
        ),
        (
            json!({ "headers": [{ "name": "a", "value": "1" }, { "name": "A", "value": "2" }] }),
            vec!["headers[1].name"],
        ),
        (
            json!({ "retry_policy": { "schedule": ["5"], "give_up_after": "3d" } }),
            vec!["retry_policy.schedule[0]"],
        ),
        (
            json!({ "retry_policy": { "schedule": ["25h"], "give_up_after": "3d" } }),
            vec!["retry_policy.schedule"],
        ),
        (
            json!({ "retry_policy": { "schedule": ["5s"], "give_up_after": "31d" } }),
            vec!["retry_policy.give_up_after"],
        ),
        (
            json!({ "rate_limit": { "per_second": 0.05 } }),
            vec!["rate_limit.per_second"],
        ),
        (
            json!({ "rate_limit": { "per_second": 1, "burst": 0 } }),
            vec!["rate_limit.burst"],
        ),
        (json!({ "supersede": "yes" }), vec!["supersede"]),
    ];
    for (more, places) in cases {
        let answer = subscribe(
            &mut server,
            integration,
            "https://example.com/",
            more.clone(),
        );
        assert_eq!(
            (answer.status().as_str(), answer.attrs()),
            (
                "invalid-param",
                places.iter().map(|place| (*place).to_owned()).collect()
            ),
            "{more}"
        );
    }
    let missing = subscribe(
        &mut server,
        integration,
        "https://example.com/",
        json!({ "retry_policy": {} }),
    );
    assert_eq!(missing.status(), "missing-param");
    let good = subscribe(
        &mut server,
        integration,
        "https://example.com/",
        json!({
            "retry_policy": { "schedule": ["500ms", "90m"], "give_up_after": "36h" },
            "rate_limit": { "per_second": 2.5 }, "supersede": true
        }),
    );
    let sub = good.data();
    assert_eq!(
        sub["retry_policy"],
        json!({ "schedule": ["500ms", "90m"], "give_up_after": "36h" })
    );
    assert_eq!(sub["rate_limit"], json!({ "per_second": 2.5, "burst": 3 }));
    assert_eq!(sub["supersede"], true);
}

#[test]
fn a_subscription_retries_by_its_own_policy() {
    // The server's policy would not try again for as long as this test runs.
    let mut server = Server::start_with(&["--retry-schedule", "1h"]);
    let answer = Arc::new(AtomicU16::new(500));
    let receiver = receiver(&answer);
    let integration = server.integration("a");
    let policy = json!({ "retry_policy": { "schedule": ["100ms"], "give_up_after": "1s" } });
    subscribe(&mut server, integration, &receiver.url("/"), policy).data();
    let job = job_of(&server.report(integration, "A-1", "scheduled"));
    receiver.wait_for(3);
    // A lane that rests stops the clock by which jobs are given up; the first success starts it again.
    answer.store(200, Ordering::SeqCst);
    server.wait_for_job(integration, &job, "delivered");
}

#[test]
fn only_the_newest_of_an_order_is_sent_where_that_is_wanted() {
    let mut server = Server::start_with(&["--retry-schedule", "100ms"]);
    let answer = Arc::new(AtomicU16::new(500));
    let receiver = receiver(&answer);
    let integration = server.integration("a");
    let sub = json!({ "supersede": true, "retry_policy": { "schedule": ["24h"], "give_up_after": "3d" } });
    subscribe(&mut server, integration, &receiver.url("/"), sub).data();
    let first = job_of(&server.report(integration, "A-1", "scheduled"));
    server.wait_for_job(integration, &first, "retrying");
    let other = job_of(&server.report(integration, "B-1", "scheduled"));
    server.wait_for_job(integration, &other, "retrying");
    // Three at once: only the last of them has anything to send.
    answer.store(200, Ordering::SeqCst);
    let stages: Vec<Value> = ["on_site", "hold", "completed"]
        .map(|stage| json!({ "external_order_id": "A-1", "stage": stage }))
        .into();
    let many = json!({ "integration_id": integration, "stages": stages });
    let receipts = server.call("order_stages/create_many", many).data();
    let jobs: Vec<Value> = receipts
        .as_array()
        .expect("receipts")
        .iter()
        .map(|receipt| job_of(&receipt["data"]))
        .collect();
    server.wait_for_job(integration, &jobs[2], "delivered");
    for job in [&first, &jobs[0], &jobs[1]] {
        let shown = server.job(integration, job);
        assert_eq!(
            (&shown["state"], shown["finished_at"].is_string()),
            (&json!("superseded"), true)
        );
    }
    // Another order's job still waits.
    assert_eq!(server.job(integration, &other)["state"], "retrying");
    let sent: Vec<Value> = receiver
        .received()
        .iter()
        .map(|got| got.json()["status"].clone())
        .collect();
    assert_eq!(sent, ["scheduled", "scheduled", "completed"]);
}

#[test]
fn a_rate_is_kept_and_nothing_is_lost_by_it() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let limit = json!({ "rate_limit": { "per_second": 20, "burst": 1 } });
    subscribe(&mut server, integration, &receiver.url("/"), limit).data();
    let stages: Vec<Value> = (0..10)
        .map(|number| json!({ "external_order_id": format!("A-{number}"), "stage": "scheduled", "create_order": true }))
        .collect();
    let many = json!({ "integration_id": integration, "stages": stages });
    server.call("order_stages/create_many", many).data();
    let delivered = wait_for("all deliveries", || {
        let index = json!({ "integration_id": integration, "filters": { "state": ["delivered"] }, "count": true });
        let answer = server.call("webhook_jobs/index", index);
        (answer.json()["count"] == 10).then(|| answer.data())
    });
    // By the attempts' own times: never two in less than a twentieth of a second, but for the clock's grain.
    let mut starts: Vec<i64> = delivered
        .as_array()
        .expect("jobs")
        .iter()
        .map(|job| {
            let shown = server.job(integration, &job["id"]);
            let at = shown["attempts"][0]["started_at"]
                .as_str()
                .expect("a time")
                .to_owned();
            at.parse::<jiff::Timestamp>()
                .expect("RFC 3339")
                .as_millisecond()
        })
        .collect();
    starts.sort_unstable();
    for pair in starts.windows(2) {
        assert!(pair[1] - pair[0] >= 45, "{starts:?}");
    }
}
