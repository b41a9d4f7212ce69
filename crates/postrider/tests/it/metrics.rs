//! `GET /metrics`: what Prometheus's own parser reads of it.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};
use crate::verifier::python;

/// Reads the text with the package `prometheus_client`, and prints every sample as JSON.
const PARSE: &str = r#"
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(sys.stdin.read()))
assert all(family.documentation for family in families), families
print(json.dumps({s.name + "".join("|" + s.labels[k] for k in sorted(s.labels)): s.value
    for family in families for s in family.samples}))
"#;

fn scrape(server: &mut Server) -> Value {
    let answer = server.client().send("GET", "/metrics", &[], b"");
    assert_eq!(answer.code, 200, "{}", answer.text);
    let mut child = Command::new(python())
        .args(["-c", PARSE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(answer.text.as_bytes()).expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", answer.text);
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn what_happened_and_what_is_can_be_scraped() {
    let mut server = Server::start_with(&["--retry-schedule", "1h"]);
    let receiver = Receiver::scripted(|request, _| match request.path.as_str() {
        "/good" => Reply::Status(200, Vec::new()),
        "/refusing" => Reply::Status(400, Vec::new()),
        _ => Reply::Status(410, Vec::new()),
    });
    let integration = server.integration("a");
    for key in ["good", "refusing", "gone"] {
        server.subscribe(integration, key, &receiver.url(&format!("/{key}")));
    }
    for order in 0..3 {
        server.report(integration, &order.to_string(), "ordered");
    }
    let many = json!({ "integration_id": integration, "stages": [
        { "external_order_id": "9", "create_order": true, "stage": "ordered" }, { "stage": "nowhere" }] });
    server.call("order_stages/create_many", many);
    let figures = wait_for("everything to be counted", || {
        let figures = scrape(&mut server);
        let is_done = figures["postrider_jobs_total|delivered"].as_f64() == Some(4.0)
            && figures["postrider_jobs_total|retrying"].as_f64() >= Some(5.0);
        is_done.then_some(figures)
    });
    let expected = [
        ("postrider_changes_accepted_total", 4.0),
        ("postrider_attempts_total|delivered", 4.0),
        ("postrider_attempts_total|job_fault", 4.0),
        ("postrider_delivery_seconds_count", 4.0),
        ("postrider_lanes|healthy", 2.0),
        ("postrider_lanes|off", 1.0),
    ];
    for (name, value) in expected {
        assert_eq!(figures[name].as_f64(), Some(value), "{name}: {figures}");
    }
    let at_least = [
        ("postrider_jobs_waiting", 4.0),
        ("postrider_oldest_waiting_seconds", 0.0),
        ("postrider_attempt_seconds_count", 8.0),
        ("postrider_commit_seconds_count", 1.0),
        ("postrider_accept_seconds_count", 4.0),
    ];
    for (name, least) in at_least {
        assert!(figures[name].as_f64() >= Some(least), "{name}: {figures}");
    }
}
