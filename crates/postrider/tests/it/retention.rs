//! What is old goes while changes come in; what waits stays, and no gap is left.

use serde_json::json;

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};
use crate::verify::verify;

#[test]
fn what_is_old_goes_while_changes_come_in_and_what_waits_stays() {
    let flags = ["--retention-jobs", "1s", "--retry-schedule", "1h"];
    let mut server = Server::start_with(&flags);
    let receiver = Receiver::scripted(|request, _| {
        let fails = request.path == "/dead";
        Reply::Status(if fails { 503 } else { 200 }, Vec::new())
    });
    let (good, dead) = (server.integration("good"), server.integration("dead"));
    server.subscribe(good, "crm", &receiver.url("/"));
    server.subscribe(dead, "crm", &receiver.url("/dead"));
    let waiting = server.report(dead, "waits", "scheduled");
    let waiting = waiting["webhook_jobs"][0]["id"].clone();
    server.wait_for_job(dead, &waiting, "retrying");
    let old = server.report(good, "old", "scheduled");
    let old = old["webhook_jobs"][0]["id"].as_i64().expect("an id");
    let mut accepted = 0;
    wait_for("the old job to be removed", || {
        server.report(good, &format!("order-{}", accepted / 2), "scheduled");
        accepted += 1;
        let count = format!("select count(*) from webhook_jobs where id = {old}");
        let count = server.numbers(&count)[0];
        if accepted % 50 == 0 {
            let (found, is_sound) = verify(&server, &[]);
            assert!(is_sound, "{found}");
        }
        (count == 0).then_some(())
    });
    let stays = server.job(dead, &waiting);
    assert_eq!(stays["state"], json!("retrying"));
    assert!(stays["payload"].is_object(), "{stays}");
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
    wait_for("every change to be delivered", || {
        let received = receiver.received();
        let good = received.iter().filter(|one| one.path == "/").count();
        (good > accepted).then_some(())
    });
    let metrics = server.client().send("GET", "/metrics", &[], b"").text;
    let counted = "postrider_removed_total{what=\"webhook_jobs\"}";
    assert!(metrics.contains(counted), "{metrics}");
}
