//! A rolling upgrade: nodes of the version before and of this one run side by side while the schema is changed under them, and no request
//! is refused. `POSTRIDER_PREVIOUS_BINARY` names the binary of another version; without it this one stands for it, and the change that
//! its next version makes is made by hand.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use testkit::TestPostgres;

use crate::harness::producers::{Ledger, join, produce_by};
use crate::harness::{Receiver, Server, wait_for};
use crate::verify::verify;

/// The load: it goes on all the time.
const PRODUCERS: usize = 3;
const PACE: Duration = Duration::from_millis(30);
/// Changes that are accepted between two steps of the upgrade.
const CHANGES: usize = 30;

/// What a later version may do to tables that this one uses: expand them.
const EXPAND: [&str; 5] = [
    "alter table webhook_jobs_waiting add column later text",
    "alter table webhook_out_subs add column later bigint not null default 0",
    "alter table orders add column later boolean not null default false",
    "alter table order_stages add column later text",
    "insert into schema_versions (version, works_with) select version + 1, version from schema_versions order by version desc limit 1",
];

#[test]
fn nodes_of_two_versions_run_side_by_side_while_the_schema_is_expanded() {
    let previous = std::env::var("POSTRIDER_PREVIOUS_BINARY")
        .ok()
        .map(PathBuf::from);
    let database = Arc::<TestPostgres>::default();
    let mut old = Server::start_binary(previous.as_deref(), &database);
    let receiver = Receiver::start();
    let integration = old.integration("a");
    for key in ["one", "two", "three"] {
        old.subscribe(integration, key, &receiver.url(&format!("/{key}")));
    }
    let ledger = Arc::new(Ledger::paced(usize::MAX, PACE));
    let mut producers = produce_by(PRODUCERS, &old, integration, "old", &ledger);
    let some_more = || {
        let enough = ledger.accepted().len() + CHANGES;
        wait_for("changes", || {
            (ledger.accepted().len() >= enough).then_some(())
        });
    };
    some_more();
    let mut new = old.start_beside();
    producers.extend(produce_by(PRODUCERS, &new, integration, "new", &ledger));
    some_more();
    if previous.is_none() {
        for step in EXPAND {
            new.execute(step);
            some_more();
        }
    }
    // One that starts on what is newer than it knows.
    let newest = old.start_beside();
    producers.extend(produce_by(
        PRODUCERS,
        &newest,
        integration,
        "newest",
        &ledger,
    ));
    some_more();
    ledger.stop();
    join(producers);
    assert_eq!(ledger.refused(), 0, "no request is refused");
    // The old one is replaced.
    assert!(old.terminate());
    let job = new.report(integration, "last", "scheduled")["webhook_jobs"][0]["id"].clone();
    new.wait_for_job(integration, &job, "delivered");
    wait_for("everything to be final", || {
        (new.numbers("select count(*) from webhook_jobs_waiting") == [0]).then_some(())
    });
    let mut arrived: HashMap<(String, i64), usize> = HashMap::new();
    for request in receiver.received() {
        let stage = request.json()["order_stage_id"].as_i64().expect("an id");
        *arrived.entry((request.path, stage)).or_default() += 1;
    }
    let accepted = ledger.accepted();
    println!(
        "{} accepted, 0 refused, {} arrived",
        accepted.len(),
        arrived.len()
    );
    assert_eq!(arrived.len(), (accepted.len() + 1) * 3, "nothing is lost");
    assert!(
        arrived.values().all(|times| *times == 1),
        "nothing comes twice"
    );
    let (found, is_sound) = verify(&new, &[]);
    assert!(is_sound, "{found}");
}
