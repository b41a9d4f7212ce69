//! Whole runs against a small server that delivers at once, and may misbehave.

mod stub;

use std::time::Duration;

use stub::{Fault, Stub};

use super::args::LoadArgs;
use super::plan::Plan;
use super::report::Report;
use super::run::measure;
use super::target::Target;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: LoadArgs,
}

fn plan(flags: &str) -> Plan {
    let line = format!("load --url http://127.0.0.1:1 --token t --yardstick 0 {flags}");
    let line: Line = clap::Parser::try_parse_from(line.split_whitespace()).expect("flags");
    Plan::new(&line.args).expect("a plan")
}

fn run(fault: Fault, flags: &str) -> Report {
    let stub = Stub::start(fault);
    let target = Target::new(&stub.url(), "t", None, false).expect("a target");
    measure(&plan(flags), &target).expect("a report").0
}

#[test]
fn a_sound_server_is_reported_sound_down_to_the_last_delivery() {
    let flags = "--changes 300 --connections 8 --integrations 3 --subscriptions 2";
    let report = run(Fault::None, flags);
    let phase = &report.phases[0];
    assert_eq!(
        (phase.accepted, phase.expected, phase.delivered),
        (300, 600, 600)
    );
    assert_eq!((phase.lost, phase.duplicates, phase.unknown), (0, 0, 0));
    assert_eq!(phase.misordered, None);
    assert!(phase.refusals.is_empty(), "{:?}", phase.refusals);
    assert!(phase.accept_ms.is_some() && phase.delivery_ms.is_some());
    assert!(phase.accepted_per_second > 0.0 && phase.delivered_per_second > 0.0);
    assert!(report.is_sound());
}

#[test]
fn a_lost_delivery_is_found_and_waited_for_no_longer_than_planned() {
    let report = run(Fault::Loses(7), "--changes 20 --drain 1 --subscriptions 2");
    assert_eq!(report.phases[0].lost, 2);
    assert!(!report.is_sound());
}

#[test]
fn a_delivery_that_comes_twice_is_a_duplicate_and_no_second_one() {
    let report = run(Fault::Repeats(7), "--changes 20");
    let phase = &report.phases[0];
    assert_eq!((phase.delivered, phase.duplicates, phase.lost), (20, 1, 0));
    assert!(report.is_sound());
}

#[test]
fn stages_of_an_order_out_of_sequence_are_misordered() {
    let cycled = "--changes 20 --connections 1 --orders 2";
    let report = run(Fault::None, cycled);
    assert_eq!(report.phases[0].misordered, Some(0));
    let report = run(Fault::Swaps(7), cycled);
    assert_eq!(report.phases[0].misordered, Some(1));
    assert_eq!(report.phases[0].lost, 0);
    assert!(!report.is_sound());
}

#[test]
fn refused_changes_are_counted_by_status_and_not_expected() {
    let report = run(Fault::Refuses(7), "--changes 20");
    let phase = &report.phases[0];
    assert_eq!(phase.refusals.get("503"), Some(&1));
    assert_eq!(
        (phase.accepted, phase.expected, phase.delivered),
        (19, 19, 19)
    );
    assert!(report.table().contains("answered 503"));
}

#[test]
fn single_changes_of_a_batch_are_refused_though_the_answer_says_200() {
    let flags = "--changes 25 --batch 10 --connections 2 --integrations 2";
    let report = run(Fault::Refuses(7), flags);
    let phase = &report.phases[0];
    assert_eq!(phase.refusals.get("503"), Some(&1));
    assert_eq!(
        (phase.accepted, phase.expected, phase.delivered),
        (24, 24, 24)
    );
    assert_eq!((phase.lost, phase.unknown), (0, 0));
}

#[test]
fn batches_of_an_open_loop_are_sent_down_to_the_rest() {
    let report = run(
        Fault::None,
        "--changes 105 --rate 2000 --batch 10 --connections 3",
    );
    let phase = &report.phases[0];
    assert_eq!((phase.accepted, phase.unsent), (105, 0));
    assert_eq!(phase.delivered, 105);
}

#[test]
fn half_the_rate_of_a_closed_loop_is_an_open_one() {
    let report = run(Fault::None, "--scenario open-half --changes 60");
    assert_eq!(report.scenario, "open-half");
    let told = report.phases.iter();
    let told: Vec<_> = told
        .map(|phase| (phase.name.as_str(), phase.accepted, phase.delivered))
        .collect();
    assert_eq!(
        told,
        [
            ("as fast as it goes", 30, 30),
            ("half of that rate", 60, 60)
        ]
    );
}

#[test]
fn windows_are_told_below_the_table_and_add_up() {
    let report = run(Fault::None, "--scenario growth --changes 60 --windows 3");
    let phase = &report.phases[0];
    let accepted: u64 = phase.windows.iter().map(|window| window.accepted).sum();
    assert_eq!(accepted, phase.accepted);
    assert!((1..=3).contains(&phase.windows.len()));
    assert!(report.table().contains("growth, B per change"));
}

#[test]
fn an_open_loop_sends_every_change_that_is_due() {
    let report = run(Fault::None, "--rate 2000 --seconds 1 --connections 4");
    let phase = &report.phases[0];
    assert_eq!(phase.accepted + phase.unsent, 2_000);
    assert_eq!((phase.delivered, phase.lost), (phase.accepted, 0));
}

#[test]
fn dead_subscriptions_get_a_phase_of_their_own_and_hold_up_nobody() {
    let flags = "--changes 50 --integrations 2 --dead 3 --compare-dead";
    let report = run(Fault::None, flags);
    let names: Vec<&str> = report
        .phases
        .iter()
        .map(|phase| phase.name.as_str())
        .collect();
    assert_eq!(names, ["no dead ones", "3 that answer", "3 dead ones"]);
    for phase in &report.phases {
        assert_eq!((phase.delivered, phase.lost), (50, 0), "{}", phase.name);
    }
}

#[test]
fn the_yardstick_is_the_producer_straight_to_the_receiver() {
    let stub = Stub::start(Fault::None);
    let target = Target::new(&stub.url(), "t", Some(std::process::id()), false).expect("a target");
    let plan = Plan {
        yardstick: Some(Duration::from_millis(50)),
        ..plan("--changes 20")
    };
    let (report, _) = measure(&plan, &target).expect("a report");
    let yardstick = report.yardstick.as_ref().expect("a yardstick");
    assert!(yardstick.requests_per_second > 0.0);
    assert!(report.phases[0].of_yardstick.is_some());
    let table = report.table();
    for row in [
        "yardstick",
        "as a share of it",
        "sent to received, ms, p99.9",
        "lost",
    ] {
        assert!(table.contains(row), "{table}");
    }
    let json = serde_json::to_value(&report).expect("JSON");
    assert!(json["phases"][0]["delivery_ms"]["p99.9"].is_number());
    assert_eq!(json["phases"][0]["lost"], 0);
}

#[test]
fn a_server_that_refuses_the_set_up_is_quoted() {
    let stub = Stub::start(Fault::RefusesToken);
    let target = Target::new(&stub.url(), "t", None, false).expect("a target");
    let error = measure(&plan("--changes 1"), &target).expect_err("refused");
    let told = format!("{error:#}");
    assert!(
        told.contains("401") && told.contains("invalid-token"),
        "{told}"
    );
}

#[test]
fn numbers_out_of_bounds_and_strange_receivers_are_refused() {
    let cases = [
        (
            "--connections 0",
            "--connections 0 is out of bounds; use 1 to 4096",
        ),
        (
            "--seconds 9999",
            "--seconds 9999 is out of bounds; use 1 to 3600",
        ),
        (
            "--batch 1001",
            "--batch 1001 is out of bounds; use 1 to 1000",
        ),
        (
            "--max-in-flight 101",
            "--max-in-flight 101 is out of bounds; use 1 to 100",
        ),
        ("--scenario open-half --rate 5", "finds its own rate"),
        ("--compare-dead", "say how many with --dead"),
        ("--dead-rate 5", "say how many with --dead"),
        (
            "--receiver 0.0.0.0:80",
            "name the one that the server reaches",
        ),
        (
            "--integrations 100 --subscriptions 11",
            "have at most 1000 and 20000",
        ),
        (
            "--integrations 10 --dead 9991",
            "an integration has at most 1000 subscriptions, and this would make 1001",
        ),
        ("--receiver 192.0.2.1:80", "add --allow-remote"),
    ];
    for (flags, message) in cases {
        let line = format!("load --url http://127.0.0.1:1 --token t {flags}");
        let line: Line = clap::Parser::try_parse_from(line.split_whitespace()).expect("flags");
        let error = Plan::new(&line.args).expect_err(flags).to_string();
        assert!(error.contains(message), "{error}");
    }
}
