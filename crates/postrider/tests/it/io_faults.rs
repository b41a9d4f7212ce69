//! A disk that fails at the N-th write or fsync, for N = 1, 2, … until a run is over before that: nothing is
//! acknowledged that is not durable, the server goes on by itself, and a restart finds all that was acknowledged.
//!
//! `POSTRIDER_FAULT_POINTS=all` tries every N; otherwise they are spread, ever wider.

use std::collections::HashSet;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::shim::{Fault, Target};
use crate::harness::{Client, Receiver, Server, Shim, wait_for, whole};

/// What is reported in a run, one change after another.
struct Load {
    changes: usize,
    /// Bytes of each order beside what it has anyway.
    padding: usize,
}

impl Load {
    /// Whether it comes to a checkpoint.
    fn is_long(&self) -> bool {
        self.changes * self.padding > 1_000_000
    }
}

/// Every commit of these is a few writes to the log.
const SMALL: Load = Load {
    changes: 5,
    padding: 0,
};
/// These fill the log, so that it is moved into the database.
const LARGE: Load = Load {
    changes: 50,
    padding: 60_000,
};

/// A server whose data begins anew for each run, under a shim.
struct Bench {
    shim: Shim,
    server: Server,
    receiver: Receiver,
    integration: i64,
    /// The data of every run's beginning.
    beginning: TempDir,
}

impl Bench {
    fn new() -> Bench {
        let receiver = Receiver::start();
        let mut server = Server::start_embedded();
        let integration = server.integration("a");
        server.subscribe(integration, "crm", &receiver.url("/"));
        assert!(server.terminate());
        let beginning = tempfile::tempdir().expect("a folder");
        copy(&server.folder(), beginning.path());
        Bench {
            shim: Shim::build(),
            server,
            receiver,
            integration,
            beginning,
        }
    }

    /// Ends the server, and gives the next one the data of the beginning and the shim.
    fn begin_anew(&mut self) {
        self.server.kill();
        std::fs::remove_dir_all(self.server.folder()).expect("removed");
        copy(self.beginning.path(), &self.server.folder());
        self.receiver.forget();
        self.server.set_environment(self.shim.environment());
    }

    /// One run; whether the fault came to pass.
    fn run(&mut self, fault: Fault, target: Target, at: i64, load: &Load) -> bool {
        // Some faults pass at once, some last for a while.
        let times = if at % 2 == 0 { 4 } else { 2 };
        let what = format!("{fault:?} of {target:?} at {at}, {times} times");
        // A checkpoint that cannot sync ends the server: the next start recovers everything from the log.
        let ends = fault == Fault::PowerCut || (fault == Fault::SyncFails && load.is_long());
        self.begin_anew();
        self.shim.arm(fault, target, at, times);
        let accepted = if self.server.try_restart() {
            self.report(ends, load, &what)
        } else {
            assert!(self.shim.fired() > 0, "{what}: it does not start");
            Vec::new()
        };
        if target == Target::Database {
            // An orderly end moves what is left in the log; how it fares there is not what it says.
            self.server.terminate();
        } else {
            self.server.kill();
        }
        let fired = self.shim.fired() > 0;
        self.shim.disarm();
        self.server.set_environment(Vec::new());
        self.server.restart();
        self.check(&accepted, &what);
        fired
    }

    /// Reports changes; gives the orders whose changes were acknowledged. `ends` is whether the server may end.
    fn report(&mut self, ends: bool, load: &Load, what: &str) -> Vec<String> {
        let mut client = Client::new(self.server.address);
        let mut accepted = Vec::new();
        for number in 0..load.changes {
            let order = format!("A-{number}");
            match self.change(&mut client, &order, load.padding) {
                Some(200) => accepted.push(order),
                Some(503) => {}
                None if ends => return accepted,
                other => panic!("{what}: {order} is answered {other:?}"),
            }
        }
        let order = "last".to_owned();
        let is_over = |code| match code {
            Some(200) => Some(true),
            None if ends => Some(false),
            _ => None,
        };
        let again = wait_for(&format!("{what}: changes to be accepted again"), || {
            is_over(self.change(&mut client, &order, 0))
        });
        accepted.extend(again.then_some(order));
        accepted
    }

    /// Reports one change; the code of the answer, if there is one.
    fn change(&self, client: &mut Client, order: &str, padding: usize) -> Option<u16> {
        let body = json!({ "token": self.server.token, "integration_id": self.integration,
            "external_order_id": order, "create_order": true, "stage": "ordered",
            "order": { "assets": { "padding": "x".repeat(padding) } } });
        let path = "/api/v1/order_stages/create";
        let headers = [("content-type", "application/json")];
        let answer = client.try_send("POST", path, &headers, body.to_string().as_bytes())?;
        if answer.code == 503 {
            assert_eq!(answer.status(), "store-unavailable");
        }
        Some(answer.code)
    }

    /// What was acknowledged is there and arrives, and the database is whole.
    fn check(&self, accepted: &[String], what: &str) {
        wait_for(&format!("{what}: what was accepted to arrive"), || {
            let received = self.receiver.received();
            let arrived: HashSet<Value> = received
                .iter()
                .map(|request| request.json()["external_order_id"].clone())
                .collect();
            let all = accepted.iter().all(|order| arrived.contains(&json!(order)));
            all.then_some(())
        });
        whole::check(&self.server);
    }
}

/// How many of these orders are not in the database.
fn missing(database: &Connection, orders: &[String]) -> Result<usize, rusqlite::Error> {
    let mut find = database.prepare("select 1 from orders where external_order_id = ?1")?;
    let mut missing = 0;
    for order in orders {
        missing += usize::from(!find.exists([order])?);
    }
    Ok(missing)
}

/// Copies the files of a folder into another, which is made.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        if entry.file_type().expect("a type").is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

/// Runs with the fault at each N until one is over before it.
fn try_points(fault: Fault, target: Target, load: &Load) {
    let every = std::env::var("POSTRIDER_FAULT_POINTS").is_ok_and(|points| points == "all");
    let mut bench = Bench::new();
    let mut at = 1;
    let mut runs = 0;
    while bench.run(fault, target, at, load) {
        runs += 1;
        at += if every { 1 } else { at };
    }
    println!("{fault:?} of {target:?}: {runs} runs, the last without it at {at}");
    assert!(runs > 0, "the fault never came to pass");
}

#[test]
fn a_write_to_the_log_that_fails_loses_nothing() {
    try_points(Fault::WriteFails, Target::Log, &SMALL);
}

#[test]
fn a_disk_that_is_full_for_a_moment_loses_nothing() {
    try_points(Fault::DiskFull, Target::Log, &SMALL);
}

#[test]
fn a_torn_write_loses_nothing() {
    try_points(Fault::TornWrite, Target::Log, &SMALL);
}

#[test]
fn an_fsync_of_the_log_that_fails_loses_nothing() {
    try_points(Fault::SyncFails, Target::Log, &SMALL);
}

#[test]
fn a_power_cut_between_any_two_writes_loses_nothing() {
    try_points(Fault::PowerCut, Target::Log, &SMALL);
}

#[test]
fn a_checkpoint_that_fails_loses_nothing() {
    try_points(Fault::WriteFails, Target::Database, &LARGE);
    try_points(Fault::SyncFails, Target::Database, &LARGE);
}

#[test]
fn an_fsync_of_a_long_log_that_fails_loses_nothing() {
    try_points(Fault::SyncFails, Target::Log, &LARGE);
}

#[test]
fn a_power_cut_amid_a_checkpoint_loses_nothing() {
    try_points(Fault::PowerCut, Target::Database, &LARGE);
}

#[test]
fn an_index_of_the_log_that_cannot_be_made_loses_nothing() {
    try_points(Fault::DiskFull, Target::Index, &SMALL);
}

/// The test of the tests above: they would notice.
#[test]
fn without_fsync_a_power_cut_loses_what_was_acknowledged() {
    let mut bench = Bench::new();
    bench.shim.skip_syncs(true);
    let mut at = 64;
    loop {
        bench.begin_anew();
        bench.shim.arm(Fault::PowerCut, Target::Log, at, 1);
        bench.server.restart();
        let accepted = bench.report(true, &SMALL, "without fsync");
        assert!(bench.shim.fired() > 0, "nothing was lost");
        bench.server.kill();
        // A database that cannot be read any more has lost everything.
        if missing(&bench.server.database(), &accepted) != Ok(0) {
            return;
        }
        at += 1;
    }
}
