//! Tests of the health of lanes.

use super::*;
use AttemptOutcome::{EndpointFault, Gone, JobFault};

const HOUR: i64 = 60 * 60;
const DAY: i64 = 24 * HOUR;

fn at(seconds: i64) -> Moment {
    Moment::from_microseconds(seconds * 1_000_000)
}

fn order(id: i64) -> Option<OrderId> {
    Some(OrderId(id))
}

#[test]
fn five_endpoint_faults_in_a_row_make_it_rest() {
    let mut health = LaneHealth::default();
    let mut changes = Vec::new();
    for second in 0..6 {
        changes.push(health.failed(EndpointFault, order(1), at(second)));
    }
    assert_eq!(
        changes,
        [
            HealthChange::StartedFailing,
            HealthChange::None,
            HealthChange::None,
            HealthChange::None,
            HealthChange::Rested,
            HealthChange::None,
        ]
    );
    assert_eq!(health.state(), HealthState::Resting);
    assert!(!health.record().is_off());
    assert_eq!(health.record().since, Some(at(4)));
    assert_eq!(health.record().failing_since, Some(at(0)));
}

#[test]
fn a_success_or_a_job_fault_begins_the_row_of_endpoint_faults_anew() {
    for interruption in [None, Some(JobFault)] {
        let mut health = LaneHealth::default();
        for second in 0..4 {
            health.failed(EndpointFault, order(1), at(second));
        }
        match interruption {
            None => {
                assert_eq!(health.succeeded(at(4)), HealthChange::Recovered);
            }
            Some(outcome) => {
                health.failed(outcome, order(1), at(4));
            }
        }
        for second in 5..9 {
            health.failed(EndpointFault, order(1), at(second));
            assert_eq!(health.state(), HealthState::Healthy, "{interruption:?}");
        }
        assert_eq!(
            health.failed(EndpointFault, order(1), at(9)),
            HealthChange::Rested
        );
    }
}

#[test]
fn failures_of_twenty_different_orders_make_it_rest() {
    let mut health = LaneHealth::default();
    for id in 1..20 {
        for second in [id, id] {
            health.failed(JobFault, order(id), at(second));
            health.failed(JobFault, None, at(second));
        }
    }
    assert_eq!(health.state(), HealthState::Healthy);
    assert_eq!(
        health.failed(JobFault, order(20), at(30)),
        HealthChange::Rested
    );
}

#[test]
fn a_success_ends_the_rest_and_only_news_are_told() {
    let mut health = LaneHealth::default();
    assert_eq!(health.succeeded(at(0)), HealthChange::None);
    for second in 1..=5 {
        health.failed(EndpointFault, order(1), at(second));
    }
    assert_eq!(health.succeeded(at(10)), HealthChange::Recovered);
    assert_eq!(health.state(), HealthState::Healthy);
    assert_eq!(health.record().failing_since, None);
    assert_eq!(health.record().since, None);
    assert_eq!(health.succeeded(at(11)), HealthChange::None);
}

#[test]
fn the_active_clock_stands_still_while_it_rests_or_is_off() {
    let mut health = LaneHealth::default();
    let seconds = |health: &LaneHealth, now| health.active_clock(at(now)) / 1_000_000;
    assert_eq!(seconds(&health, 100), 100);
    for second in 101..=105 {
        health.failed(EndpointFault, order(1), at(second));
    }
    assert_eq!(seconds(&health, 500), 105);
    health.failed(Gone, order(1), at(600));
    assert_eq!(seconds(&health, 900), 105);
    let mut health = LaneHealth::from_record(health.record().clone());
    assert_eq!(seconds(&health, 1_000), 105);
    health.switched_on(at(1_105));
    assert_eq!(seconds(&health, 1_105), 105);
    assert_eq!(seconds(&health, 1_115), 115);
}

#[test]
fn a_clock_that_is_set_changes_no_age() {
    for hours in [-1, 1, 30 * 24] {
        let jump = hours * HOUR;
        let mut health = LaneHealth::default();
        health.failed(JobFault, order(1), at(0));
        health.failed(JobFault, order(1), at(10));
        health.clock_set(jump * 1_000_000);
        assert_eq!(health.active_clock(at(20 + jump)), 20_000_000);
        let change = health.failed(JobFault, order(1), at(20 + jump));
        assert_eq!(change, HealthChange::None, "{hours}");
        for second in 21..=25 {
            health.failed(EndpointFault, order(1), at(second + jump));
        }
        assert_eq!(health.state(), HealthState::Resting);
        health.clock_set(-jump * 1_000_000);
        assert_eq!(health.active_clock(at(90)), 25_000_000);
    }
}

#[test]
fn gone_switches_it_off_and_only_a_hand_switches_it_on() {
    let mut health = LaneHealth::default();
    assert_eq!(
        health.failed(Gone, order(1), at(5)),
        HealthChange::SwitchedOff(OffReason::Gone)
    );
    assert!(health.record().is_off());
    assert_eq!(health.record().reason, Some(OffReason::Gone));
    assert_eq!(health.succeeded(at(6)), HealthChange::None);
    assert_eq!(
        health.failed(EndpointFault, order(1), at(7)),
        HealthChange::None
    );
    assert!(health.record().is_off());
    health.switched_on(at(8));
    assert_eq!(
        (
            health.state(),
            health.record().reason,
            health.record().failing_since
        ),
        (HealthState::Healthy, None, None)
    );
    assert_eq!(
        health.failed(EndpointFault, order(1), at(9)),
        HealthChange::StartedFailing
    );
}

#[test]
fn switched_off_by_hand_the_clock_stands_still_and_no_reason_is_told() {
    let mut health = LaneHealth::default();
    health.switched_off_by_hand(at(100));
    assert_eq!(
        (health.state(), health.record().reason),
        (HealthState::Off, None)
    );
    assert_eq!(health.active_clock(at(500)), 100_000_000);
    assert_eq!(health.succeeded(at(510)), HealthChange::None);
    health.switched_on(at(600));
    assert_eq!(health.active_clock(at(610)), 110_000_000);
}

#[test]
fn five_days_of_failures_switch_it_off_if_it_failed_lately_too() {
    let cases = [
        (5 * DAY - 1, 5 * DAY - 2, false),
        (5 * DAY, 4 * DAY, true),
        (5 * DAY, 5 * DAY - 27 * HOUR, true),
        (5 * DAY, 5 * DAY - 27 * HOUR - 1, false),
        (9 * DAY, 8 * DAY, true),
    ];
    for (now, previous, off) in cases {
        let mut health = LaneHealth::default();
        health.failed(JobFault, order(1), at(0));
        health.failed(JobFault, order(1), at(previous));
        let change = health.failed(JobFault, order(1), at(now));
        let expected = HealthChange::SwitchedOff(OffReason::FailingForDays);
        assert_eq!(change == expected, off, "{now} {previous}");
    }
}

#[test]
fn the_record_survives_being_json() {
    let mut health = LaneHealth::default();
    health.failed(Gone, order(1), at(5));
    let json = serde_json::to_string(health.record()).expect("JSON");
    assert!(
        json.contains(r#""state":"off""#) && json.contains(r#""reason":"gone""#),
        "{json}"
    );
    let again: LaneRecord = serde_json::from_str(&json).expect("a record");
    assert_eq!(&again, health.record());
}

/// Nineteen orders and four endpoint faults in a row: one more of either makes it rest.
fn nearly_resting() -> LaneHealth {
    let mut health = LaneHealth::default();
    for id in 1..=15 {
        health.failed(JobFault, order(id), at(id));
    }
    for id in 16..=19 {
        health.failed(EndpointFault, order(id), at(id));
    }
    assert_eq!(health.state(), HealthState::Healthy);
    health
}

#[test]
fn one_more_of_either_kind_is_enough_for_a_rest() {
    for (outcome, id) in [(JobFault, 20), (EndpointFault, 1)] {
        let change = nearly_resting().failed(outcome, order(id), at(30));
        assert_eq!(change, HealthChange::Rested, "{outcome:?}");
    }
}

#[test]
fn a_success_or_a_hand_begins_both_counts_anew() {
    let by_success = |health: &mut LaneHealth| {
        health.succeeded(at(25));
    };
    let by_hand = |health: &mut LaneHealth| health.switched_on(at(25));
    let ways: [&dyn Fn(&mut LaneHealth); 2] = [&by_success, &by_hand];
    for (way, begin_anew) in ways.into_iter().enumerate() {
        for (outcome, id) in [(JobFault, 20), (EndpointFault, 1)] {
            let mut health = nearly_resting();
            begin_anew(&mut health);
            let change = health.failed(outcome, order(id), at(30));
            assert_eq!(change, HealthChange::StartedFailing, "{way} {outcome:?}");
            assert_eq!(health.record().failing_since, Some(at(30)), "{way}");
        }
    }
}

#[test]
fn a_rest_or_a_switch_off_ends_with_the_next_success_and_a_single_failure_is_no_trouble() {
    let mut health = LaneHealth::default();
    let before = health.record().clone();
    health.failed(EndpointFault, order(1), at(0));
    let failing = health.record().clone();
    health.succeeded(at(1));
    assert!(!before.is_ended_by(health.record()) && !failing.is_ended_by(health.record()));

    for second in 2..7 {
        health.failed(EndpointFault, order(1), at(second));
    }
    let resting = health.record().clone();
    assert!(!failing.is_ended_by(&resting));
    assert_eq!(health.succeeded(at(7)), HealthChange::Recovered);
    assert!(resting.is_ended_by(health.record()));

    health.failed(Gone, order(1), at(8));
    let off = health.record().clone();
    health.switched_on(at(9));
    let switched_on = health.record().clone();
    assert!(switched_on.recovering && !off.is_ended_by(&switched_on));
    assert_eq!(health.succeeded(at(10)), HealthChange::Recovered);
    assert!(switched_on.is_ended_by(health.record()));
    assert_eq!(health.succeeded(at(11)), HealthChange::None);
}

#[test]
fn what_somebody_switched_off_by_hand_was_no_trouble() {
    let mut health = LaneHealth::default();
    health.switched_off_by_hand(at(0));
    health.switched_on(at(1));
    assert!(!health.record().recovering);
    assert_eq!(health.succeeded(at(2)), HealthChange::None);
}

#[test]
fn a_wish_to_be_left_alone_holds_until_it_is_over_and_a_shorter_one_does_not_end_it() {
    let mut health = LaneHealth::default();
    let seconds = Duration::from_secs;
    assert_eq!(health.pause(at(0)), None);
    assert!(health.asked_to_pause(seconds(60), at(0)));
    assert!(!health.asked_to_pause(seconds(10), at(0)));
    assert!(!health.asked_to_pause(seconds(60), at(0)));
    assert_eq!(health.pause(at(59)), Some(at(60)));
    assert_eq!(health.pause(at(60)), None);
    assert!(health.asked_to_pause(seconds(1_000_000), at(0)));
    assert_eq!(health.pause(at(0)), Some(at(24 * 60 * 60)));
    health.switched_on(at(1));
    assert_eq!(health.pause(at(1)), None);
    assert!(health.asked_to_pause(seconds(60), at(1)));
    health.asked_to_go_on();
    assert_eq!(health.pause(at(1)), None);
}

#[test]
fn a_success_forgets_a_pause_that_a_clock_set_back_has_ended() {
    let mut health = LaneHealth::default();
    assert!(health.asked_to_pause(Duration::from_secs(60), at(100)));
    assert_eq!(health.pause(at(50)), None, "the clock was set back");
    health.succeeded(at(50));
    assert_eq!(health.pause(at(110)), None, "it comes back");
    assert!(health.asked_to_pause(Duration::from_secs(60), at(200)));
    health.succeeded(at(201));
    let until = Some(at(260));
    assert_eq!(health.pause(at(202)), until, "what was in flight ends none");
}
