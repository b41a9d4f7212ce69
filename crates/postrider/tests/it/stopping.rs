//! An orderly end: nothing is lost, and nothing that ended is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server};

fn job_of(receipt: &Value) -> Value {
    receipt["webhook_jobs"][0]["id"].clone()
}

#[test]
fn sigterm_ends_it_well_and_the_next_start_goes_on() {
    let mut server = Server::start_with(&["--retry-schedule", "200ms"]);
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
    server.subscribe(integration, "crm", &receiver.url("/"));
    let receipts: Vec<Value> = (0..20)
        .map(|order| server.report(integration, &format!("A-{order}"), "ordered"))
        .collect();
    assert!(server.terminate());
    open.store(true, Ordering::SeqCst);
    server.restart();
    for receipt in receipts {
        server.wait_for_job(integration, &job_of(&receipt), "delivered");
    }
}

#[test]
fn what_hangs_is_cut_off_after_the_grace_and_sent_again_under_the_same_id() {
    let mut server = Server::start_with(&["--shutdown-grace", "500ms"]);
    let hangs = Arc::new(AtomicBool::new(true));
    let script = hangs.clone();
    let receiver = Receiver::scripted(move |_, _| {
        if script.load(Ordering::SeqCst) {
            Reply::Silence
        } else {
            Reply::Status(200, vec![])
        }
    });
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let receipt = server.report(integration, "A", "ordered");
    receiver.wait_for(1);
    assert!(server.terminate(), "it ends well though a receiver hangs");
    hangs.store(false, Ordering::SeqCst);
    server.restart();
    let job = server.wait_for_job(integration, &job_of(&receipt), "delivered");
    assert_eq!(
        job["attempt_count"], 1,
        "the one that was cut off is not counted"
    );
    let got = receiver.received();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].header("webhook-id"), got[1].header("webhook-id"));
    assert_eq!(got[0].body, got[1].body);
}
