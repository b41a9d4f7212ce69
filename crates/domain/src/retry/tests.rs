//! Tests of back-off and durations.

use super::*;

const NOW: Moment = Moment::from_microseconds(1_000_000_000_000);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn the_default_schedule_is_followed_and_its_last_step_repeats() {
    let policy = RetryPolicy::default();
    let expected = [
        5, 30, 120, 360, 360, 360, 360, 360, 360, 720, 1_440, 2_880, 3_600, 3_600, 3_600,
    ];
    for (index, step) in expected.into_iter().enumerate() {
        let failures = u32::try_from(index).expect("small") + 1;
        let next = policy.next(failures, NOW, Duration::ZERO, None, 0.5);
        assert_eq!(next, Next::At(NOW + seconds(step)), "{failures}");
    }
    let first = policy.next(0, NOW, Duration::ZERO, None, 0.5);
    assert_eq!(first, Next::At(NOW + seconds(5)));
    assert_eq!(
        policy.to_string(),
        "5s,30s,2m,6m,6m,6m,6m,6m,6m,12m,24m,48m,1h"
    );
}

#[test]
fn jitter_is_a_tenth_either_way() {
    let policy = RetryPolicy::new(vec![seconds(100)], seconds(1_000)).expect("a policy");
    let cases = [
        (0.0, 90),
        (0.25, 95),
        (0.5, 100),
        (1.0, 110),
        (-3.0, 90),
        (9.0, 110),
    ];
    for (jitter, expected) in cases {
        let next = policy.next(1, NOW, Duration::ZERO, None, jitter);
        assert_eq!(next, Next::At(NOW + seconds(expected)), "{jitter}");
    }
}

#[test]
fn a_receiver_can_only_delay_and_for_a_day_at_most() {
    let policy = RetryPolicy::new(vec![seconds(100)], seconds(1_000)).expect("a policy");
    let day = RETRY_AFTER_SECONDS_MAX;
    let cases = [(0, 100), (99, 100), (101, 101), (day, day), (day + 1, day)];
    for (asked, expected) in cases {
        let next = policy.next(1, NOW, Duration::ZERO, Some(seconds(asked)), 0.5);
        assert_eq!(next, Next::At(NOW + seconds(expected)), "{asked}");
    }
}

#[test]
fn it_gives_up_when_the_time_of_trying_is_over() {
    let policy = RetryPolicy::default();
    let days = seconds(3 * 24 * 60 * 60);
    let one = Duration::from_micros(1);
    assert_ne!(policy.next(9, NOW, days - one, None, 0.5), Next::GiveUp);
    assert_eq!(policy.next(9, NOW, days, None, 0.5), Next::GiveUp);
    let late = policy.next(1, NOW, days + one, Some(seconds(1)), 0.5);
    assert_eq!(late, Next::GiveUp);
}

#[test]
fn durations_are_whole_numbers_with_a_unit() {
    let cases = [
        ("100ms", Duration::from_millis(100), "100ms"),
        ("30s", seconds(30), "30s"),
        (" 2m ", seconds(120), "2m"),
        ("90s", seconds(90), "90s"),
        ("60s", seconds(60), "1m"),
        ("24h", seconds(86_400), "1d"),
        ("3d", seconds(259_200), "3d"),
        ("0s", Duration::ZERO, "0ms"),
    ];
    for (text, duration, written) in cases {
        assert_eq!(parse_duration(text), Ok(duration), "{text}");
        assert_eq!(write_duration(duration), written);
    }
    for text in [
        "",
        "5",
        "s",
        "5 s",
        "1.5s",
        "-5s",
        "5S",
        "5sec",
        "99999999999999999999s",
        "999999999999999999d",
    ] {
        let fault = parse_duration(text).expect_err(text);
        assert!(matches!(fault, RetryFault::NotADuration(_)), "{text}");
    }
}

#[test]
fn schedules_have_bounds_that_are_named() {
    assert_eq!(parse_schedule("5s, 30s,1h").map(|steps| steps.len()), Ok(3));
    assert_eq!(
        parse_schedule("99ms"),
        Err(RetryFault::Step("99ms".to_owned()))
    );
    assert_eq!(
        parse_schedule("5s,25h"),
        Err(RetryFault::Step("25h".to_owned()))
    );
    assert!(parse_schedule("5s,,6s").is_err());
    assert!(parse_schedule("").is_err());
    assert_eq!(
        parse_schedule("100ms,24h"),
        Ok(vec![Duration::from_millis(100), seconds(86_400)])
    );
    assert_eq!(STEPS_MAX, 50);
    let many = vec!["5s"; STEPS_MAX].join(",");
    assert!(parse_schedule(&many).is_ok());
    assert_eq!(
        parse_schedule(&format!("{many},5s")),
        Err(RetryFault::TooManySteps)
    );

    let new = |steps: Vec<u64>, give_up| {
        RetryPolicy::new(steps.into_iter().map(seconds).collect(), seconds(give_up))
    };
    assert!(new(vec![1], 1).is_ok());
    assert!(new(vec![1; STEPS_MAX], 60).is_ok());
    assert!(new(vec![86_400], 30 * 86_400).is_ok());
    assert_eq!(new(vec![1], 0), Err(RetryFault::GiveUp));
    assert_eq!(new(vec![1], 30 * 86_400 + 1), Err(RetryFault::GiveUp));
    assert_eq!(new(vec![1, 0], 60), Err(RetryFault::Step("0ms".to_owned())));
    assert!(new(vec![], 60).is_err());
    assert_eq!(
        new(vec![1; STEPS_MAX + 1], 60),
        Err(RetryFault::TooManySteps)
    );
}

#[test]
fn a_policy_is_read_and_written_as_subscriptions_have_it() {
    let json = r#"{"schedule":["5s","2m"],"give_up_after":"3d"}"#;
    let policy: RetryPolicy = serde_json::from_str(json).expect("a policy");
    assert_eq!(policy.schedule(), [seconds(5), seconds(120)]);
    assert_eq!(policy.give_up_after(), seconds(3 * 86_400));
    assert_eq!(serde_json::to_string(&policy).expect("JSON"), json);
    for bad in [
        r#"{"schedule":["5x"],"give_up_after":"3d"}"#,
        r#"{"schedule":["50ms"],"give_up_after":"3d"}"#,
        r#"{"schedule":[],"give_up_after":"3d"}"#,
        r#"{"schedule":["5s"],"give_up_after":"31d"}"#,
        r#"{"schedule":["5s"],"give_up_after":"soon"}"#,
    ] {
        assert!(serde_json::from_str::<RetryPolicy>(bad).is_err(), "{bad}");
    }
}
