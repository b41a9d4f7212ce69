//! Why something arrived, or did not: the match trace of a change, and what it would be.

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for, with};

/// A subscription with these parameters; its id.
fn subscribe(server: &mut Server, integration: i64, key: &str, url: &str, more: &Value) -> Value {
    let parameters = with(
        json!({ "integration_id": integration, "key": key, "name": key, "callback_url": url,
        "version": "v3" }),
        more,
    );
    let made = server.call("webhook_out_subs/create", parameters);
    made.data()["id"].clone()
}

/// Key, verdict, what matched and the job's state of each entry.
fn told(trace: &Value) -> Vec<(String, String, Value, Value)> {
    let entries = trace.as_array().expect("a trace").iter();
    entries
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().expect("text").to_owned();
            let (matched_by, state) = (&entry["matched_by"], &entry["webhook_job_state"]);
            (
                text("key"),
                text("verdict"),
                matched_by.clone(),
                state.clone(),
            )
        })
        .collect()
}

fn expected(entries: &[(&str, &str, Value, Value)]) -> Vec<(String, String, Value, Value)> {
    let entries = entries.iter();
    entries
        .map(|(key, verdict, by, state)| {
            (
                (*key).to_owned(),
                (*verdict).to_owned(),
                by.clone(),
                state.clone(),
            )
        })
        .collect()
}

#[test]
fn a_change_tells_for_every_subscription_why_it_made_a_job_or_none() {
    let mut server = Server::start();
    let receiver = Receiver::scripted(|request, _| {
        let status = if request.path == "/gone" { 410 } else { 200 };
        Reply::Status(status, Vec::new())
    });
    let url = receiver.url("/");
    let integration = server.integration("a");
    let filter = "order.address.state == 'CO'";
    let subs = [
        ("status", url.clone(), json!({ "statuses": ["scheduled"] })),
        (
            "event",
            url.clone(),
            json!({ "events": ["appointment.scheduled"] }),
        ),
        (
            "both",
            url.clone(),
            json!({ "statuses": ["*"], "events": ["*"] }),
        ),
        ("neither", url.clone(), json!({ "statuses": ["hold"] })),
        (
            "filtered",
            url.clone(),
            json!({ "statuses": ["*"], "filter": filter }),
        ),
        (
            "inactive",
            url.clone(),
            json!({ "statuses": ["*"], "active": false }),
        ),
        (
            "gone",
            receiver.url("/gone"),
            json!({ "statuses": ["ordered"] }),
        ),
    ];
    for (key, url, more) in &subs {
        subscribe(&mut server, integration, key, url, more);
    }
    server.report(integration, "first", "ordered");
    wait_for("the receiver to be gone", || {
        let listed = server.call(
            "webhook_out_subs/index",
            json!({ "integration_id": integration }),
        );
        let gone = listed
            .data()
            .as_array()?
            .iter()
            .find(|sub| sub["key"] == "gone")?
            .clone();
        (gone["active"] == false).then_some(())
    });
    let change = json!({ "integration_id": integration, "external_order_id": "A", "create_order": true,
        "stage": "scheduled", "event_slug": "appointment.scheduled",
        "order": { "address": { "state": "UT" } } });
    let accepted = server.call("order_stages/create", change).data();
    assert_eq!(accepted["webhook_jobs"].as_array().map(Vec::len), Some(3));
    for job in accepted["webhook_jobs"].as_array().expect("jobs") {
        server.wait_for_job(integration, &job["id"], "delivered");
    }
    let ids = json!({ "integration_id": integration, "id": accepted["id"] });
    let trace = |server: &mut Server| {
        server.call("order_stages/show", ids.clone()).data()["match_trace"].clone()
    };
    let done = json!("delivered");
    let before = trace(&mut server);
    let all = expected(&[
        ("status", "matched", json!("status"), done.clone()),
        ("event", "matched", json!("event"), done.clone()),
        ("both", "matched", json!("status_and_event"), done),
        ("neither", "not_matched", Value::Null, Value::Null),
        ("filtered", "filtered", json!("status"), Value::Null),
        ("inactive", "inactive", json!("status"), Value::Null),
        ("gone", "off", Value::Null, Value::Null),
    ]);
    assert_eq!(told(&before), all);
    // What is changed later changes nothing of what was.
    let filtered = &before[4]["webhook_out_sub_id"];
    let update = json!({ "integration_id": integration, "id": filtered, "version": "v3", "filter": null,
        "statuses": ["hold"] });
    server.call("webhook_out_subs/update", update).data();
    let deleted = json!({ "integration_id": integration, "id": before[0]["webhook_out_sub_id"] });
    server.call("webhook_out_subs/delete", deleted).data();
    assert_eq!(trace(&mut server), before);
    // What would be, without its being.
    let count = receiver.count();
    let asked = json!({ "integration_id": integration, "stage": "hold" });
    let explained = server.call("webhook_out_subs/explain", asked).data();
    let verdicts: Vec<_> = told(&explained)
        .into_iter()
        .map(|(key, verdict, ..)| (key, verdict))
        .collect();
    let pair = |key: &str, verdict: &str| (key.to_owned(), verdict.to_owned());
    assert_eq!(
        verdicts,
        [
            pair("event", "not_matched"),
            pair("both", "matched"),
            pair("neither", "matched"),
            pair("filtered", "matched"),
            pair("inactive", "inactive"),
            pair("gone", "off"),
        ]
    );
    assert_eq!(receiver.count(), count);
}

#[test]
fn a_filter_looks_at_the_order_after_the_change_and_one_that_fails_lets_it_pass() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let vip =
        json!({ "statuses": ["*"], "filter": "order.metadata.vip and order.status == stage" });
    subscribe(&mut server, integration, "vip", &receiver.url("/vip"), &vip);
    // Decides on the samples, and divides by zero in the second change.
    let failing = json!({ "statuses": ["*"], "filter": "sequence // (sequence - 2) == 5" });
    subscribe(
        &mut server,
        integration,
        "failing",
        &receiver.url("/failing"),
        &failing,
    );
    let report = |server: &mut Server, metadata: Value| {
        let change = json!({ "integration_id": integration, "external_order_id": "A", "create_order": true,
            "stage": "scheduled", "order": { "metadata": metadata, "external_property_id": "P" } });
        server.call("order_stages/create", change).data()
    };
    let plain = report(&mut server, json!({}));
    let special = report(&mut server, json!({ "vip": "yes" }));
    assert_eq!(plain["webhook_jobs"], json!([]));
    assert_eq!(special["webhook_jobs"].as_array().map(Vec::len), Some(2));
    let ids = json!({ "integration_id": integration, "id": special["id"] });
    let shown = server.call("order_stages/show", ids).data();
    let message = shown["match_trace"][1]["message"].as_str().expect("words");
    assert!(
        message.contains("could not be decided, so the change passed"),
        "{message}"
    );
    // The same, asked beforehand and of this order.
    let asked = json!({ "integration_id": integration, "order_id": special["order_id"], "stage": "scheduled" });
    let explained = server.call("webhook_out_subs/explain", asked).data();
    assert_eq!(explained[0]["verdict"], "matched");
    let sample = json!({ "integration_id": integration, "id": explained[0]["webhook_out_sub_id"],
        "stage": "scheduled" });
    let explained = server.call("webhook_out_subs/explain", sample).data();
    assert_eq!(explained.as_array().map(Vec::len), Some(1));
    assert_eq!(explained[0]["verdict"], "filtered");
    let nowhere = json!({ "integration_id": integration, "id": 999, "order_id": 999, "stage": "nowhere",
        "event_slug": "no.where" });
    let refused = server.call("webhook_out_subs/explain", nowhere);
    assert_eq!(refused.attrs(), ["id", "order_id", "stage", "event_slug"]);
    let bad = json!({ "integration_id": integration, "key": "bad", "name": "bad", "callback_url": receiver.url("/"),
        "version": "v3", "filter": "order.adress.state == 'CO'" });
    let refused = server.call("webhook_out_subs/create", bad);
    assert_eq!(refused.attrs(), ["filter"]);
    assert!(
        refused.text.contains("did you mean `address`?"),
        "{}",
        refused.text
    );
}
