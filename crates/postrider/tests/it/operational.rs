//! Postrider tells of its own troubles: operational events, to whoever lists them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};

/// The operational events that came, with the key of the subscription that each is about.
fn told(receiver: &Receiver) -> Vec<(String, String)> {
    let came = receiver.received().into_iter();
    let mut told: Vec<_> = came
        .filter(|request| request.path == "/watch")
        .map(|request| {
            let body = request.json();
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            (text(&body["event"]), text(&body["webhook_out_sub"]["key"]))
        })
        .collect();
    told.sort();
    told
}

#[test]
fn troubles_are_told_to_those_who_list_them_by_name() {
    let answer = Arc::new(AtomicU16::new(500));
    let current = answer.clone();
    let receiver = Receiver::scripted(move |request, _| {
        let status = match request.path.as_str() {
            "/shaky" => current.load(Ordering::SeqCst),
            "/gone" => 410,
            "/refusing" => 400,
            _ => 200,
        };
        Reply::Status(status, Vec::new())
    });
    let mut server = Server::start();
    let integration = server.integration("a");
    let policy = json!({ "schedule": ["100ms"], "give_up_after": "1h" });
    let short = json!({ "schedule": ["100ms"], "give_up_after": "1s" });
    let names = [
        "job.exhausted",
        "subscription.failing",
        "subscription.off",
        "subscription.recovered",
    ];
    for (key, path, more) in [
        ("watch", "/watch", json!({ "events": names })),
        (
            "deaf",
            "/deaf",
            json!({ "statuses": ["hold"], "events": ["*"] }),
        ),
        (
            "shaky",
            "/shaky",
            json!({ "statuses": ["ordered"], "retry_policy": policy }),
        ),
        ("gone", "/gone", json!({ "statuses": ["scheduled"] })),
        (
            "hopeless",
            "/refusing",
            json!({ "statuses": ["completed"], "retry_policy": short }),
        ),
    ] {
        let mut parameters = json!({ "integration_id": integration, "key": key, "name": key,
            "callback_url": receiver.url(path), "version": "v2" });
        for (name, value) in more.as_object().expect("an object") {
            parameters[name] = value.clone();
        }
        server.call("webhook_out_subs/create", parameters).data();
    }
    for order in 0..5 {
        server.report(integration, &order.to_string(), "ordered");
    }
    let pair = |event: &str, key: &str| (event.to_owned(), key.to_owned());
    let failing = pair("subscription.failing", "shaky");
    wait_for("the trouble to be told", || {
        told(&receiver).contains(&failing).then_some(())
    });
    let exhausted = server.report(integration, "last", "completed");
    let job = &exhausted["webhook_jobs"][0]["id"];
    server.wait_for_job(integration, job, "exhausted");
    server.report(integration, "gone", "scheduled");
    answer.store(200, Ordering::SeqCst);
    let all = [
        pair("job.exhausted", "hopeless"),
        failing,
        pair("subscription.off", "gone"),
        pair("subscription.recovered", "shaky"),
    ];
    wait_for("everything to be told", || {
        (told(&receiver).len() >= all.len()).then_some(())
    });
    assert_eq!(told(&receiver), all);
    let about = receiver
        .received()
        .into_iter()
        .map(|request| request.json());
    let about = about
        .into_iter()
        .find(|body| body["event"] == "job.exhausted")
        .expect("came");
    assert_eq!(about["webhook_job"]["id"], *job);
    assert_eq!(about["webhook_job"]["status"], "completed");
    // Events of orders are what "*" means.
    assert!(
        receiver
            .received()
            .iter()
            .all(|request| request.path != "/deaf")
    );
    let listed = server.call(
        "webhook_jobs/index",
        json!({ "integration_id": integration, "filters": { "event_type": ["off"] } }),
    );
    let listed = listed.data();
    assert_eq!(listed[0]["status"], Value::Null);
    assert_eq!(listed[0]["webhook_subscriber"], "watch");
    // Nobody else can say so.
    let forged = server.call(
        "order_stages/create",
        json!({ "integration_id": integration, "external_order_id": "0", "stage": "ordered",
            "event_slug": "subscription.off" }),
    );
    assert_eq!(forged.attrs(), ["event_slug"]);
}

#[test]
fn one_that_tells_of_given_up_jobs_and_fails_itself_tells_of_that_once() {
    let receiver = Receiver::scripted(|_, _| Reply::Status(400, Vec::new()));
    let mut server = Server::start();
    let integration = server.integration("a");
    let parameters = json!({ "integration_id": integration, "key": "self", "name": "self",
        "callback_url": receiver.url("/"), "version": "v3", "statuses": ["*"], "events": ["job.exhausted"],
        "retry_policy": { "schedule": ["100ms"], "give_up_after": "1s" } });
    server.call("webhook_out_subs/create", parameters).data();
    let receipt = server.report(integration, "A", "ordered");
    server.wait_for_job(integration, &receipt["webhook_jobs"][0]["id"], "exhausted");
    let jobs = |server: &mut Server| {
        let listed = server.call(
            "webhook_jobs/index",
            json!({ "integration_id": integration }),
        );
        listed.data().as_array().expect("jobs").clone()
    };
    let all = wait_for("everything to be final", || {
        let jobs = jobs(&mut server);
        let is_done = jobs.len() == 2 && jobs.iter().all(|job| job["state"] == "exhausted");
        is_done.then_some(jobs)
    });
    assert_eq!(all[0]["event"], "job.exhausted");
    assert_eq!(all[0]["status"], "ordered");
}
