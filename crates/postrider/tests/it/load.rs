//! `postrider load --self`: small runs of its scenarios against the real server.

use serde_json::Value;
use testkit::TestPostgres;

use crate::harness::server::run;

/// The report of a run with these flags, which must have found nothing wrong.
fn report(flags: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!("load --self --scratch . --json --yardstick 0 --drain 50 {flags}");
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let output = run(folder.path(), &arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{flags}: {told}");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "{flags}: the throw-away folder is removed");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Accepted, delivered, lost, duplicates and unknown of a phase.
fn counts(phase: &Value) -> Vec<u64> {
    let names = ["accepted", "delivered", "lost", "duplicates", "unknown"];
    let count = |name: &&str| phase[*name].as_u64().expect("a count");
    names.iter().map(count).collect()
}

#[test]
fn scenarios_deliver_every_change_to_every_subscription() {
    let cases = [
        ("--changes 30 --connections 3", 30, 30),
        ("--scenario fan-out --changes 10", 10, 100),
        ("--scenario batch --changes 250", 250, 250),
        (
            "--scenario many-subscriptions --changes 12 --integrations 4 --subscriptions 3",
            12,
            36,
        ),
        (
            "--scenario dead --changes 20 --integrations 2 --subscriptions 2 --dead 2",
            20,
            40,
        ),
        ("--scenario batch --changes 40 --batch 7 --orders 5", 40, 40),
    ];
    for (flags, accepted, delivered) in cases {
        let report = report(flags);
        let phases = report["phases"].as_array().expect("phases");
        assert_eq!(phases.len(), 1, "{flags}");
        let counted = counts(&phases[0]);
        assert_eq!(counted, [accepted, delivered, 0, 0, 0], "{flags}");
        assert_eq!(phases[0]["refusals"], serde_json::json!({}), "{flags}");
    }
}

#[test]
fn nodes_of_one_database_share_a_load() {
    let database = TestPostgres::new();
    let on = format!("--nodes 2 --database-url {}", database.url());
    let report = report(&format!("--scenario fan-out --changes 60 {on}"));
    let phase = &report["phases"][0];
    assert_eq!(counts(phase), [60, 600, 0, 0, 0]);
    assert!(phase["server"]["cpu_microseconds_per_change"].is_number());
}

#[test]
fn a_report_tells_what_start_and_changes_cost() {
    let report = report("--scenario growth --changes 200 --windows 2");
    let figures = [
        "/start/first_answer_ms",
        "/start/idle_bytes",
        "/phases/0/server/peak_bytes",
        "/phases/0/server/cpu_microseconds_per_change",
        "/phases/0/tool_cpu_microseconds_per_change",
        "/phases/0/store_bytes_per_change",
        "/phases/0/windows/0/accepted_per_second",
    ];
    for figure in figures {
        let told = report.pointer(figure);
        assert!(told.is_some_and(Value::is_number), "{figure}: {told:?}");
    }
}

#[test]
fn an_open_loop_follows_at_half_the_rate() {
    let report = report("--scenario open-half --changes 40");
    let phases = report["phases"].as_array().expect("phases");
    let counted: Vec<Vec<u64>> = phases.iter().map(counts).collect();
    assert_eq!(counted, [[20, 20, 0, 0, 0], [40, 40, 0, 0, 0]]);
}

#[test]
fn a_history_is_made_started_on_and_listed() {
    let report = report("--scenario history --history 250 --changes 30");
    let phases = report["phases"].as_array().expect("phases");
    let counted: Vec<Vec<u64>> = phases.iter().map(counts).collect();
    assert_eq!(
        counted,
        [[30, 30, 0, 0, 0], [25, 250, 0, 0, 0], [30, 30, 0, 0, 0]]
    );
    assert!(report["history"]["start"]["first_answer_ms"].is_number());
    let pages = report["history"]["first_pages"].as_array().expect("pages");
    let jobs = |asked: &str| {
        let page = pages.iter().find(|page| page["asked"] == asked);
        page.expect(asked)["jobs"].as_u64()
    };
    assert_eq!(jobs("{}"), Some(50));
    assert_eq!(jobs(r#"{"filters":{"state":["delivered"]}}"#), Some(50));
    assert_eq!(jobs(r#"{"filters":{"subscribers":["live-3"]}}"#), Some(25));
    assert_eq!(jobs(r#"{"filters":{"state":["exhausted"]}}"#), Some(0));
}
