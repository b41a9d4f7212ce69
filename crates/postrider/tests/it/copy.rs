//! Moving house: everything is carried over, killed in between or not, and works where it has come to.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rand::RngExt;
use rusqlite::Connection;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use testkit::TestPostgres;

use crate::harness::producers::{seeded, times};
use crate::harness::receiver::Reply;
use crate::harness::server::postrider;
use crate::harness::{Receiver, Server, wait_for, whole};

mod everything;

/// Copies that are killed in a run that is told no other number.
const KILLED_DEFAULT: usize = 3;
/// Longest life of a copy that is killed, in milliseconds: some have not begun by then, others are nearly done.
const LIFE_MILLISECONDS_MAX: u64 = 600;

/// The environment of nodes that open what was sealed in a folder.
fn on(database: &TestPostgres, key: &Path) -> Vec<(String, String)> {
    vec![
        (
            "POSTRIDER_SECRET_KEY_FILE".to_owned(),
            key.display().to_string(),
        ),
        ("POSTRIDER_DATABASE_URL".to_owned(), database.url()),
    ]
}

fn copy(folder: &Path, from: &str, to: &str) -> Output {
    let mut command = postrider(folder);
    command.args(["copy", "--from", from, "--to", to, "--json"]);
    command.output().expect("it runs")
}

/// What a copy that went well says of itself.
fn copied(folder: &Path, from: &str, to: &str) -> Value {
    let output = copy(folder, from, to);
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The words that a copy is refused with.
fn refused(folder: &Path, from: &str, to: &str) -> String {
    let output = copy(folder, from, to);
    assert!(!output.status.success(), "{from} to {to}: {output:?}");
    String::from_utf8(output.stderr).expect("text")
}

/// Every row of every table, as somebody else reads it.
fn rows(data: &Path) -> BTreeMap<String, Vec<Vec<Cell>>> {
    let database = Connection::open(data.join("postrider.db")).expect("a database");
    let sql = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'";
    let mut tables = database.prepare(sql).expect("tables");
    let tables = tables.query_map([], |row| row.get(0)).expect("tables");
    let tables: Vec<String> = tables.map(|name| name.expect("a name")).collect();
    let of = |table: String| {
        // What is absent in a database that grew up means no.
        let sql = match table.as_str() {
            "webhook_jobs" => "select *, late is 1 from webhook_jobs".to_owned(),
            "lanes" => "select * from lanes where webhook_out_sub_id in \
                (select id from webhook_out_subs where deleted_at is null)"
                .to_owned(),
            table => format!("select * from {table}"),
        };
        let mut statement = database.prepare(&sql).expect("a table");
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let read = statement.query_map([], |row| {
            let cells = names.iter().enumerate().filter(|(_, name)| *name != "late");
            cells.map(|(place, _)| row.get(place)).collect()
        });
        let mut read: Vec<Vec<Cell>> = read
            .expect("rows")
            .collect::<Result<_, _>>()
            .expect("cells");
        read.sort_by_key(|row| format!("{row:?}"));
        (table, read)
    };
    tables.into_iter().map(of).collect()
}

/// Fails where two folders do not hold the same.
fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (rows(one), rows(other));
    assert_eq!(
        one.keys().collect::<Vec<_>>(),
        other.keys().collect::<Vec<_>>()
    );
    for (table, rows) in &one {
        assert_eq!(Some(rows), other.get(table), "{table}");
    }
}

#[test]
fn everything_moves_to_postgresql_and_back_and_works_in_both() {
    let answer = Arc::new(AtomicU16::new(503));
    let current = answer.clone();
    let receiver = Receiver::scripted(move |request, _| {
        let is_down = request.path == "/down";
        let status = if is_down {
            current.load(Ordering::SeqCst)
        } else {
            200
        };
        Reply::Status(status, Vec::new())
    });
    let (mut server, made) = everything::make(&receiver);
    let folder = server.folder().parent().expect("a folder").to_owned();
    assert!(server.terminate());
    let held = rows(&folder.join("data"));
    let empty: Vec<&String> = held
        .iter()
        .filter(|(table, rows)| rows.is_empty() && *table != "notifications")
        .map(|(table, _)| table)
        .collect();
    assert!(empty.is_empty(), "not tried: {empty:?}");
    let database = TestPostgres::new();
    let there = copied(&folder, "sqlite:data", &database.url());
    let back = copied(&folder, &database.url(), "sqlite:back");
    assert_eq!(there["tables"], back["tables"]);
    assert_same(&folder.join("data"), &folder.join("back"));

    answer.store(200, Ordering::SeqCst);
    receiver.forget();
    let node = tempfile::tempdir().expect("a folder");
    let key = folder.join("data/secret.key");
    let served = Server::start_restored(node.path().to_owned(), &server.token, on(&database, &key));
    everything::check(served, &made, &receiver);
    receiver.forget();
    let house = tempfile::tempdir().expect("a folder");
    std::fs::rename(folder.join("back"), house.path().join("data")).expect("moved");
    std::fs::copy(&key, house.path().join("data/secret.key")).expect("copied");
    let served = Server::start_restored(house.path().to_owned(), &server.token, Vec::new());
    whole::check(&served);
    everything::check(served, &made, &receiver);
}

#[test]
fn a_copy_that_is_killed_goes_on_where_it_was_and_serves_nobody_until_then() {
    let mut chance = seeded();
    let receiver = Receiver::start();
    let mut server = Server::start_embedded();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    for piece in 0..3 {
        let stages = (0..1_000).map(|number| {
            json!({ "external_order_id": format!("order-{piece}-{}", number / 2), "create_order": true, "stage": "scheduled" })
        });
        let stages: Vec<Value> = stages.collect();
        let parameters = json!({ "integration_id": integration, "stages": stages });
        server.call("order_stages/create_many", parameters).data();
    }
    wait_for("all to be delivered", || {
        (whole::waiting(&server) == 0).then_some(())
    });
    let folder = server.folder().parent().expect("a folder").to_owned();
    assert!(server.terminate());
    let database = TestPostgres::new();
    let rounds = times("POSTRIDER_KILL_ROUNDS", KILLED_DEFAULT);
    let url = database.url();
    for (from, to) in [("sqlite:data", url.as_str()), (url.as_str(), "sqlite:back")] {
        for _ in 0..rounds {
            let life = Duration::from_millis(chance.random_range(1..LIFE_MILLISECONDS_MAX));
            let mut command = postrider(&folder);
            command.args(["copy", "--from", from, "--to", to]);
            let command = command.stdout(Stdio::null()).stderr(Stdio::null());
            let mut running = command.spawn().expect("it starts");
            // The random moment itself, not a wait for anything.
            std::thread::park_timeout(life);
            running.kill().expect("it ran");
            running.wait().expect("it ends");
        }
        // One that was done before it was killed is whole, and another one is refused.
        let last = copy(&folder, from, to);
        let said = String::from_utf8_lossy(&last.stderr);
        assert!(
            last.status.success() || said.contains("is not empty"),
            "{last:?}"
        );
    }
    assert_same(&folder.join("data"), &folder.join("back"));
}

#[test]
fn half_a_copy_is_neither_served_nor_mixed_with_another() {
    let mut server = Server::start_embedded();
    server.integration("a");
    let folder = server.folder().parent().expect("a folder").to_owned();
    assert!(server.terminate());
    let database = TestPostgres::new();
    let url = database.url();
    copied(&folder, "sqlite:data", &url);
    copied(&folder, &url, "sqlite:back");
    // As a copy leaves it that was killed before its end.
    let half = Connection::open(folder.join("back/postrider.db")).expect("a database");
    let mark = "create table copy_under_way (source text not null) strict; insert into copy_under_way values ('elsewhere')";
    half.execute_batch(mark).expect("marked");
    drop(half);
    let key = folder.join("data/secret.key");
    std::fs::copy(&key, folder.join("back/secret.key")).expect("copied");
    let mut serve = postrider(&folder);
    serve.args(["serve", "--data", "back", "--listen", "127.0.0.1:0"]);
    let said = serve.output().expect("it runs");
    let text = String::from_utf8(said.stderr).expect("text");
    assert!(
        !said.status.success() && text.contains("half of a copy"),
        "{text}"
    );
    let text = refused(&folder, "sqlite:data", "sqlite:back");
    assert!(text.contains("half a copy of elsewhere"), "{text}");
    let text = refused(&folder, "sqlite:back", "sqlite:new");
    assert!(text.contains("half of a copy"), "{text}");
    for to in [url.as_str(), "sqlite:data"] {
        let text = refused(&folder, if to == url { "sqlite:data" } else { &url }, to);
        assert!(text.contains("is not empty"), "{text}");
    }
    let text = refused(&folder, "sqlite:data", "sqlite:data");
    assert!(text.contains("the same store"), "{text}");
    let text = refused(&folder, "sqlite:nowhere", "sqlite:new");
    assert!(text.contains("has no database"), "{text}");
    let own = tempfile::tempdir().expect("a folder");
    let node = Server::start_restored(own.path().to_owned(), &server.token, on(&database, &key));
    let text = refused(&folder, &url, "sqlite:new");
    assert!(text.contains("a server runs on"), "{text}");
    let text = refused(&folder, "sqlite:data", &url);
    assert!(text.contains("a server runs on"), "{text}");
    drop(node);
    let house = Server::start_restored(folder.clone(), &server.token, Vec::new());
    let text = refused(&folder, "sqlite:data", "sqlite:new");
    assert!(text.contains("is running on the data folder"), "{text}");
    drop(house);
}
