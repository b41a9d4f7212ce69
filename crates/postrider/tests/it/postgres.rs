//! The same binary on PostgreSQL, alone and beside another node.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use testkit::TestPostgres;

use crate::harness::server::on;
use crate::harness::{Receiver, Server};
use crate::verify::verify;

#[test]
fn a_change_arrives_from_postgresql_and_survives_a_kill() {
    let database = Arc::<TestPostgres>::default();
    let mut environment = on(&database.url());
    // Longer than anybody waits: it is not the end of its own lease that a node waits for when it is back.
    environment.push(("POSTRIDER_LEASE".to_owned(), "1h".to_owned()));
    let mut server = Server::start_through(&database, environment);
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/hook"));
    let first = server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(1).remove(0);
    assert_eq!(
        got.header("postrider-order-id"),
        first["order_id"].to_string()
    );
    let job = &first["webhook_jobs"][0]["id"];
    server.wait_for_job(integration, job, "delivered");
    server.kill();
    server.restart();
    assert_eq!(server.job(integration, job)["state"], "delivered");
    let second = server.report(integration, "A-1", "scheduled");
    assert_eq!(second["order_id"], first["order_id"]);
    let job = &second["webhook_jobs"][0]["id"];
    server.wait_for_job(integration, job, "delivered");
    let (found, is_sound) = verify(&server, &[]);
    assert!(is_sound, "{found}");
    assert!(server.terminate());
}

#[test]
fn two_nodes_accept_for_one_database_and_every_change_arrives_once_and_in_order() {
    let mut first = Server::start_on(&Arc::default(), &[]);
    let mut second = first.start_beside();
    let receiver = Receiver::start();
    let integration = first.integration("a");
    first.subscribe(integration, "crm", &receiver.url("/hook"));
    let mut jobs: Vec<Value> = Vec::new();
    for number in 0..20 {
        let node = if number % 2 == 0 {
            &mut first
        } else {
            &mut second
        };
        let receipt = node.report(integration, &format!("order-{}", number % 5), "scheduled");
        jobs.push(receipt["webhook_jobs"][0]["id"].clone());
    }
    for job in &jobs {
        second.wait_for_job(integration, job, "delivered");
    }
    let got = receiver.received();
    let ids: BTreeSet<String> = got
        .iter()
        .map(|delivery| delivery.header("webhook-id").to_owned())
        .collect();
    assert_eq!((got.len(), ids.len()), (jobs.len(), jobs.len()));
    for order in 0..5 {
        let order = json!(format!("order-{order}"));
        let sequences: Vec<u64> = got
            .iter()
            .filter(|delivery| delivery.json()["external_order_id"] == order)
            .map(|delivery| delivery.header("postrider-sequence").parse().expect("one"))
            .collect();
        assert_eq!(sequences, [1, 2, 3, 4]);
    }
    let (found, is_sound) = verify(&first, &[]);
    assert!(is_sound, "{found}");
}
