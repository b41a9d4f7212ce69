//! `postrider verify`: finds what is damaged by hand, mends what can be mended, and finds nothing otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Receiver, Server, wait_for};

/// What the command finds; and whether it says that nothing is wrong any more.
pub fn verify(server: &Server, flags: &[&str]) -> (Value, bool) {
    let output = server.command(&[&["verify", "--json"], flags].concat());
    let found = serde_json::from_slice(&output.stdout);
    (
        found.unwrap_or_else(|_| panic!("{output:?}")),
        output.status.success(),
    )
}

/// The kinds of gaps, sorted.
fn kinds(found: &Value) -> Vec<String> {
    let gaps = found["gaps"].as_array().expect("gaps").iter();
    let mut kinds: Vec<String> = gaps
        .map(|gap| gap["kind"].as_str().expect("a kind").to_owned())
        .collect();
    kinds.sort();
    kinds
}

#[test]
fn a_store_that_works_has_no_gaps_though_the_server_goes_on() {
    let mut server = Server::start();
    let receiver = Receiver::scripted(|request, before| {
        let fails = request.path == "/shaky" && before % 3 == 0;
        Reply::Status(if fails { 500 } else { 200 }, Vec::new())
    });
    let integration = server.integration("a");
    let policy = json!({ "schedule": ["100ms"], "give_up_after": "1h" });
    for (key, path, more) in [
        ("order", "/shaky", json!({ "ordering": "order" })),
        ("all", "/all", json!({ "ordering": "subscription" })),
        ("newest", "/shaky", json!({ "supersede": true })),
        ("filtered", "/filtered", json!({ "filter": "sequence > 2" })),
        ("inactive", "/inactive", json!({ "active": false })),
        ("none", "/shaky", json!({ "ordering": "none" })),
    ] {
        let mut parameters = json!({ "integration_id": integration, "key": key, "name": key,
            "callback_url": receiver.url(path), "version": "v3", "statuses": ["*"], "retry_policy": policy });
        for (name, value) in more.as_object().expect("an object") {
            parameters[name] = value.clone();
        }
        server.call("webhook_out_subs/create", parameters).data();
    }
    for number in 0..40 {
        server.report(integration, &format!("order-{}", number % 4), "scheduled");
        if number % 10 == 0 {
            let (found, is_sound) = verify(&server, &[]);
            assert!(is_sound, "{found}");
        }
    }
    let enable = server.call(
        "webhook_out_subs/index",
        json!({ "integration_id": integration, "filters": { "active": false } }),
    );
    let inactive = &enable.data()[0]["id"];
    let enable =
        json!({ "integration_id": integration, "id": inactive, "since": "2020-01-01T00:00:00Z" });
    server.call("webhook_out_subs/enable", enable).data();
    wait_for("everything to be final", || {
        let waiting = json!({ "state": ["pending", "delivering", "retrying"] });
        let listed = server.call(
            "webhook_jobs/index",
            json!({ "integration_id": integration, "filters": waiting }),
        );
        let is_done = listed.data() == json!([]);
        let sub = server.call(
            "webhook_out_subs/show",
            json!({ "integration_id": integration, "id": inactive }),
        );
        (is_done && sub.data()["catching_up"] == false).then_some(())
    });
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
    assert_eq!(found["order_stages"], json!(40));
    let said = server.command(&["verify"]);
    let said = String::from_utf8(said.stdout).expect("text");
    assert!(said.ends_with("no gaps\n"), "{said}");
}

#[test]
fn what_is_damaged_is_found_and_what_can_be_is_mended() {
    let mut server = Server::start_embedded();
    let answer = Arc::new(AtomicU16::new(503));
    let current = answer.clone();
    let receiver =
        Receiver::scripted(move |_, _| Reply::Status(current.load(Ordering::SeqCst), Vec::new()));
    let integration = server.integration("a");
    let policy = json!({ "schedule": ["1s"], "give_up_after": "1h" });
    let parameters = json!({ "integration_id": integration, "key": "crm", "name": "crm", "version": "v3",
        "callback_url": receiver.url("/"), "statuses": ["*"], "retry_policy": policy });
    server.call("webhook_out_subs/create", parameters).data();
    answer.store(200, Ordering::SeqCst);
    let delivered: Vec<Value> = (0..6)
        .map(|number| server.report(integration, &format!("order-{}", number / 2), "scheduled"))
        .collect();
    for receipt in &delivered {
        server.wait_for_job(integration, &receipt["webhook_jobs"][0]["id"], "delivered");
    }
    answer.store(503, Ordering::SeqCst);
    let waiting = server.report(integration, "waiting", "scheduled");
    let waiting = waiting["webhook_jobs"][0]["id"].clone();
    server.wait_for_job(integration, &waiting, "retrying");
    server.kill();
    let job = |index: usize| {
        delivered[index]["webhook_jobs"][0]["id"]
            .as_i64()
            .expect("an id")
    };
    let damage = [
        format!("delete from webhook_jobs where id = {}", job(1)),
        format!("update webhook_jobs set next_attempt_at = null where id = {waiting}"),
        format!(
            "update webhook_jobs set finished_at = finished_at + 60000000 where id = {}",
            job(2)
        ),
        format!(
            "update webhook_jobs set state = 'pending' where id = {}",
            job(4)
        ),
        format!(
            "update order_stages set filter_results = '{{\"1\":null}}' where id = {}",
            delivered[5]["id"]
        ),
    ];
    server
        .database()
        .execute_batch(&damage.join(";"))
        .expect("damaged");
    let (found, is_sound) = verify(&server, &[]);
    assert!(!is_sound);
    let all = [
        "contradictory_job",
        "missing_job",
        "out_of_sequence",
        "sleeping_job",
        "unexpected_job",
    ];
    assert_eq!(kinds(&found), all);
    let (found, is_sound) = verify(&server, &["--repair"]);
    assert_eq!((found["mended"].as_i64(), is_sound), (Some(2), false));
    let (found, _) = verify(&server, &[]);
    assert_eq!(
        kinds(&found),
        ["contradictory_job", "out_of_sequence", "unexpected_job"]
    );
    answer.store(200, Ordering::SeqCst);
    server.restart();
    server.wait_for_job(integration, &waiting, "delivered");
    let stage = &delivered[1]["id"];
    wait_for("the missing job to be delivered", || {
        let count = receiver
            .received()
            .iter()
            .filter(|one| one.json()["order_stage_id"] == *stage)
            .count();
        (count == 2).then_some(())
    });
    // The same beside a server that runs: it hears of it by itself.
    let lost = server.report(integration, "lost", "scheduled");
    let lost_job = lost["webhook_jobs"][0]["id"].clone();
    server.wait_for_job(integration, &lost_job, "delivered");
    let lose = format!("delete from webhook_jobs where id = {lost_job}");
    server.database().execute_batch(&lose).expect("lost");
    let (found, _) = verify(&server, &["--repair"]);
    assert_eq!(found["mended"], json!(1));
    wait_for("the lost job to be delivered again", || {
        let count = receiver
            .received()
            .iter()
            .filter(|one| one.json()["order_stage_id"] == lost["id"])
            .count();
        (count == 2).then_some(())
    });
}
