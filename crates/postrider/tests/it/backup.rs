//! Backups of the embedded store: made under load, restored into a new folder, and never half.

use std::collections::HashSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rand::RngExt;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::producers::{Ledger, join, produce, seeded, times};
use crate::harness::receiver::Reply;
use crate::harness::server::postrider;
use crate::harness::{Receiver, Server, wait_for, whole};

/// Backups that are killed in a run that is told no other number.
const KILLED_DEFAULT: usize = 8;
/// Longest life of a backup that is killed, in milliseconds: some are whole by then.
const LIFE_MILLISECONDS_MAX: u64 = 80;

/// Puts a backup and the key into a new folder, as `docs/operate.md` says.
fn restore(backup: &Path, key: &Path, data: &Path) {
    std::fs::create_dir_all(data).expect("a folder");
    std::fs::copy(backup, data.join("postrider.db")).expect("copied");
    std::fs::copy(key, data.join("secret.key")).expect("copied");
}

fn subscribe(server: &mut Server, integration: i64, key: &str, url: &str) -> Value {
    let policy = json!({ "schedule": ["100ms"], "give_up_after": "1h" });
    let parameters = json!({ "integration_id": integration, "key": key, "name": key, "callback_url": url,
        "version": "v3", "statuses": ["*"], "retry_policy": policy });
    server.call("webhook_out_subs/create", parameters).data()
}

#[test]
fn a_backup_under_load_holds_all_that_was_acknowledged_and_goes_on_elsewhere() {
    let mut server = Server::start_embedded();
    let answer = Arc::new(AtomicU16::new(503));
    let current = answer.clone();
    let receiver = Receiver::scripted(move |request, _| {
        let status = match request.path.as_str() {
            "/down" => current.load(Ordering::SeqCst),
            _ => 200,
        };
        Reply::Status(status, Vec::new())
    });
    let integration = server.integration("a");
    subscribe(&mut server, integration, "crm", &receiver.url("/up"));
    subscribe(&mut server, integration, "erp", &receiver.url("/down"));
    let ledger = Arc::new(Ledger::default());
    let producers = produce(&server, integration, "under-load", &ledger);
    wait_for("some changes", || {
        (ledger.accepted().len() > 200).then_some(())
    });
    let before = ledger.accepted();
    let made = server.command(&["backup", "--to", "backups/", "--json"]);
    assert!(made.status.success(), "{made:?}");
    assert!(
        ledger.accepted().len() > before.len(),
        "changes waited for it"
    );
    server.kill();
    join(producers);
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!(made["gaps"], json!(0), "{made}");
    let data = server.folder();
    let folder = data.parent().expect("a folder");
    let backup = folder.join(made["file"].as_str().expect("a file"));
    let held: HashSet<i64> = whole::changes(&Connection::open(&backup).expect("a database"));
    assert!(before.is_subset(&held), "{held:?} lacks some of {before:?}");

    let elsewhere = tempfile::tempdir().expect("a folder");
    restore(
        &backup,
        &data.join("secret.key"),
        &elsewhere.path().join("data"),
    );
    answer.store(200, Ordering::SeqCst);
    let folder = elsewhere.path().to_owned();
    let mut restored = Server::start_restored(folder, &server.token, Vec::new());
    wait_for("all that waited to be delivered", || {
        (whole::waiting(&restored) == 0).then_some(())
    });
    let after = restored.report(integration, "after", "scheduled");
    restored.wait_for_job(integration, &after["webhook_jobs"][0]["id"], "delivered");
    whole::check(&restored);
}

#[test]
fn a_backup_that_is_killed_leaves_no_file_that_could_be_taken_for_one() {
    let mut chance = seeded();
    let mut server = Server::start_embedded();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    subscribe(&mut server, integration, "crm", &receiver.url("/"));
    for number in 0..200 {
        server.report(integration, &format!("order-{number}"), "scheduled");
    }
    let data = server.folder();
    let folder = data.parent().expect("a folder").to_owned();
    for round in 0..times("POSTRIDER_KILL_ROUNDS", KILLED_DEFAULT) {
        let name = format!("backup-{round}.db");
        let life = Duration::from_millis(chance.random_range(1..LIFE_MILLISECONDS_MAX));
        let mut command = postrider(&folder);
        command.args(["backup", "--data", "data", "--to", &name]);
        let mut running = command.stdout(Stdio::null()).spawn().expect("it starts");
        // The random moment itself, not a wait for anything.
        std::thread::park_timeout(life);
        running.kill().expect("it ran");
        running.wait().expect("it ends");
        if folder.join(&name).exists() {
            whole::check_file(&Connection::open(folder.join(&name)).expect("a database"));
            continue;
        }
        // What the killed one left does not keep the next one from being made.
        let made = server.command(&["backup", "--to", &name]);
        assert!(made.status.success(), "{made:?}");
        assert!(!folder.join(format!("{name}.partial")).exists());
    }
    let again = server.command(&["backup", "--to", "backup-0.db"]);
    let said = String::from_utf8(again.stderr).expect("text");
    assert!(said.contains("is there already"), "{said}");
}
