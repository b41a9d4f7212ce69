//! A start on a large backlog: the server is ready, others are served, and the backlog goes out in order.
//!
//! `POSTRIDER_BACKLOG_JOBS` and `POSTRIDER_BACKLOG_LANES` give it another size; `POSTRIDER_TEST_BINARY` another binary, since
//! the figures that are printed mean little without optimisation.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;

use crate::harness::swift::Swift;
use crate::harness::{Client, Server, wait_for};

/// Waiting jobs where no other number is given: enough for several claims.
const JOBS_DEFAULT: i64 = 3_000;
/// Stages of each order: the second waits until the first is delivered.
const STAGES_OF_ORDER: i64 = 2;
/// Most memory that the server may take with any backlog.
const RESIDENT_BYTES_MAX: u64 = 200_000_000;
const FRESH: &str = "/fresh";

fn number(name: &str, default: i64) -> i64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |number| number.parse().expect("a number"))
}

/// What came at the receiver.
#[derive(Default)]
struct Seen {
    /// The last sequence of each order at each lane.
    sequences: HashMap<(String, u32), u32>,
    backlog: i64,
    misordered: usize,
    fresh: Vec<Instant>,
    last: Option<Instant>,
}

impl Seen {
    fn note(&mut self, head: &http::request::Parts) {
        if head.uri.path() == FRESH {
            self.fresh.push(Instant::now());
            return;
        }
        let header = |name: &str| -> u32 {
            let value = head.headers[name].to_str().expect("text");
            value.parse().expect("a number")
        };
        let (order, sequence) = (header("postrider-order-id"), header("postrider-sequence"));
        let last = self
            .sequences
            .entry((head.uri.path().to_owned(), order))
            .or_default();
        // The next one, exactly: none is left out, none comes twice.
        self.misordered += usize::from(sequence != *last + 1);
        *last = sequence;
        self.backlog += 1;
        self.last = Some(Instant::now());
    }
}

/// A statement that copies the row `?1` of a table so many times (`?2`), with some columns replaced; `i` counts from 0.
fn multiply(database: &Connection, table: &str, row: i64, count: i64, replaced: &[(&str, String)]) {
    let mut columns = database
        .prepare(&format!("select name from pragma_table_info('{table}')"))
        .expect("SQL");
    let columns = columns.query_map([], |row| row.get(0)).expect("columns");
    let columns: Vec<String> = columns.map(|column| column.expect("a name")).collect();
    let values = columns.iter().map(|column| {
        let replacement = replaced.iter().find(|(name, _)| name == column);
        replacement.map_or_else(|| format!("t.{column}"), |(_, value)| value.clone())
    });
    let values: Vec<String> = values.collect();
    let statement = format!(
        "with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ?2) \
         insert into {table} ({}) select {} from n, {table} t where t.id = ?1",
        columns.join(", "),
        values.join(", ")
    );
    let made = database.execute(&statement, [row, count]).expect("copies");
    assert_eq!(i64::try_from(made).expect("a count"), count, "{table}");
}

fn id(database: &Connection, query: &str) -> i64 {
    database
        .query_row(query, [], |row| row.get(0))
        .expect("an id")
}

/// Makes jobs wait for each of the lanes, copied from the only ones that there are.
fn make_backlog(server: &Server, lanes: i64, jobs: i64) {
    let database = server.database();
    database
        .execute_batch("pragma synchronous = off; pragma cache_size = -400000; begin")
        .expect("begins");
    let order = id(&database, "select max(id) from orders");
    let stage = id(&database, "select max(id) from order_stages");
    let payload = id(&database, "select max(id) from payloads");
    let job = id(&database, "select max(id) from webhook_jobs");
    let sub = id(
        &database,
        "select min(webhook_out_sub_id) from webhook_jobs",
    );
    let stages = jobs / lanes;
    let text = |value: &str| value.to_owned();
    multiply(
        &database,
        "orders",
        order,
        stages / STAGES_OF_ORDER,
        &[
            ("id", format!("{order} + 1 + i")),
            ("external_order_id", text("'backlog-' || i")),
            ("sequence", STAGES_OF_ORDER.to_string()),
        ],
    );
    multiply(
        &database,
        "order_stages",
        stage,
        stages,
        &[
            ("id", format!("{stage} + 1 + i")),
            ("order_id", format!("{order} + 1 + i / {STAGES_OF_ORDER}")),
            ("sequence", format!("1 + i % {STAGES_OF_ORDER}")),
        ],
    );
    multiply(
        &database,
        "payloads",
        payload,
        stages,
        &[("id", format!("{payload} + 1 + i"))],
    );
    // Job i is of stage i / lanes.
    let of_order = format!("(i / {lanes}) % {STAGES_OF_ORDER}");
    multiply(
        &database,
        "webhook_jobs",
        job,
        jobs,
        &[
            ("id", format!("{job} + 1 + i")),
            ("webhook_out_sub_id", format!("{sub} + i % {lanes}")),
            (
                "order_id",
                format!("{order} + 1 + i / {lanes} / {STAGES_OF_ORDER}"),
            ),
            ("order_stage_id", format!("{stage} + 1 + i / {lanes}")),
            ("sequence", format!("1 + {of_order}")),
            ("payload_id", format!("{payload} + 1 + i / {lanes}")),
            ("webhook_id", text("randomblob(16)")),
            ("state", text("'pending'")),
            ("attempts", text("0")),
            ("first_attempt_clock", text("null")),
            ("status_code", text("null")),
            (
                "next_attempt_at",
                format!("case when {of_order} = 0 then t.created_at + i end"),
            ),
            ("finished_at", text("null")),
        ],
    );
    database.execute_batch("commit").expect("commits");
}

/// Reports fresh changes one after another, at least one, until so much of the backlog has arrived; how long each took to its receiver.
fn overtake(server: &Server, integration: i64, seen: &Mutex<Seen>, jobs: i64) -> Vec<Duration> {
    let mut client = Client::new(server.address);
    let mut took = Vec::new();
    while took.is_empty() || seen.lock().expect("no panic").backlog < jobs {
        let before = seen.lock().expect("no panic").fresh.len();
        let started = Instant::now();
        let body = json!({ "token": server.token, "integration_id": integration, "create_order": true,
            "external_order_id": format!("fresh-{before}"), "stage": "scheduled" });
        let headers = [("content-type", "application/json")];
        let path = "/api/v1/order_stages/create";
        client
            .send("POST", path, &headers, body.to_string().as_bytes())
            .data();
        let arrived = wait_for("the fresh one to arrive", || {
            seen.lock().expect("no panic").fresh.get(before).copied()
        });
        took.push(arrived.duration_since(started));
        // A few a second beside the backlog, so that they measure it and are no load themselves.
        std::thread::park_timeout(Duration::from_millis(20));
    }
    took.sort_unstable();
    took
}

fn start_on_a_backlog(lanes: i64) {
    let jobs = number("POSTRIDER_BACKLOG_JOBS", JOBS_DEFAULT) / (lanes * STAGES_OF_ORDER)
        * (lanes * STAGES_OF_ORDER);
    let seen = Arc::new(Mutex::new(Seen::default()));
    let noting = seen.clone();
    let receiver = Swift::start(move |head| noting.lock().expect("no panic").note(head));
    let mut server = Server::start_embedded_with(&["--delivery-timeout", "60s"]);
    let integration = server.integration("backlog");
    for lane in 0..lanes {
        let sub = server.subscribe(
            integration,
            &lane.to_string(),
            &receiver.url(&format!("/made/{lane}")),
        );
        let change = json!({ "integration_id": integration, "id": sub["id"], "version": "v3",
            "callback_url": receiver.url(&format!("/held/{lane}")), "max_in_flight": 64 });
        server.call("webhook_out_subs/update", change).data();
    }
    server.report(integration, "first", "scheduled");
    wait_for("the first of each lane", || {
        (seen.lock().expect("no panic").backlog == lanes).then_some(())
    });
    let others = server.integration("others");
    server.subscribe(others, "fresh", &receiver.url(FRESH));
    assert!(server.terminate(), "it ends well");
    make_backlog(&server, lanes, jobs);
    *seen.lock().expect("no panic") = Seen::default();

    // Where nothing is measured, the backlog's receivers hang until a fresh one of another lane has arrived.
    receiver.open(std::env::var("POSTRIDER_BACKLOG_JOBS").is_ok());
    let started = Instant::now();
    server.restart();
    let ready = started.elapsed();
    overtake(&server, others, &seen, 0);
    let first = seen.lock().expect("no panic").fresh[0].duration_since(started);
    receiver.open(true);
    let took = overtake(&server, others, &seen, jobs);
    let quantile = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    let peak = server.peak_bytes();
    let seen = seen.lock().expect("no panic");
    let drained = seen.last.expect("some came").duration_since(started);
    println!(
        "{jobs} jobs in {lanes} lanes: ready after {ready:?}, first fresh one after {first:?}, fresh ones p50 {:?} p99 {:?} max {:?} \
         of {}; drained in {drained:?}, {:.0}/s, {} MB",
        quantile(0.5),
        quantile(0.99),
        quantile(1.0),
        took.len(),
        jobs as f64 / drained.as_secs_f64(),
        peak / 1_000_000
    );
    assert_eq!((seen.backlog, seen.misordered), (jobs, 0));
    assert!(peak <= RESIDENT_BYTES_MAX, "{peak} bytes");
}

#[test]
fn a_start_on_the_backlog_of_one_lane() {
    start_on_a_backlog(1);
}

#[test]
fn a_start_on_the_backlog_of_many_lanes() {
    start_on_a_backlog(number("POSTRIDER_BACKLOG_LANES", 20));
}
