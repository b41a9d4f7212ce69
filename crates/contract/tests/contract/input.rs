//! Types, limits, names, and the collecting of faults.

use contract::{Failure, Given, Input};

use crate::routes::{attrs, with};

fn faults_of(members: &str) -> Vec<(String, String)> {
    match with(members, |input| input.finish(|| Some(()))) {
        Ok(()) => Vec::new(),
        Err(failure) => {
            assert_eq!(failure.status.slug, "invalid-param", "{members}");
            failure
                .errors
                .into_iter()
                .map(|fault| (fault.attr, fault.message))
                .collect()
        }
    }
}

#[test]
fn values_within_their_types_and_limits_pass() {
    let accepted = [
        r#""active":true"#,
        r#""active":null,"filters":null,"order":null"#,
        r#""version":"v3""#,
        r#""rate":0.1"#,
        r#""rate":10000"#,
        r#""rate":1e2"#,
        r#""stage_at":"2026-01-31T12:30:00Z""#,
        r#""stage_at":"2026-01-31T12:30:00.5+00:00""#,
        r#""statuses":[]"#,
        r#""statuses":["éééééééééééééééééééé","a","a"]"#,
        r#""ids":[9223372036854775807,-9223372036854775808,-0]"#,
        r#""filters":{}"#,
        r#""filters":{"status":["a"],"size":200}"#,
        r#""headers":[{"name":"😀😀😀😀😀😀😀😀😀😀"}]"#,
        r#""order":{"any":[{"thing":1.5e300}]}"#,
        r#""notes":[]"#,
        r#""any":"text""#,
    ];
    for members in accepted {
        assert_eq!(faults_of(members), [], "{members}");
    }
}

/// Members, the place of their one fault, and what its message says.
type Refused<'a> = (&'a str, &'a str, &'a str);

fn assert_refused(cases: &[Refused<'_>]) {
    for (members, attr, message) in cases {
        let faults = faults_of(members);
        assert_eq!(faults.len(), 1, "{members}: {faults:?}");
        assert_eq!(faults[0].0, *attr, "{members}");
        assert!(faults[0].1.contains(message), "{members}: {}", faults[0].1);
    }
}

#[test]
fn numbers_beside_their_types_and_limits_are_refused() {
    let no_integer = "must be an integer";
    let beyond = "must be -9223372036854775808 to 9223372036854775807";
    assert_refused(&[
        (r#""integration_id":"7""#, "integration_id", no_integer),
        (r#""integration_id":7.0"#, "integration_id", no_integer),
        (r#""integration_id":7e0"#, "integration_id", no_integer),
        (r#""integration_id":true"#, "integration_id", no_integer),
        (r#""ids":[1,9223372036854775808]"#, "ids[1]", beyond),
        (r#""ids":[-9223372036854775809]"#, "ids[0]", beyond),
        (r#""rate":"1""#, "rate", "must be a number"),
        (r#""rate":0.09"#, "rate", "must be 0.1 to 10000"),
        (r#""rate":10000.5"#, "rate", "must be 0.1 to 10000"),
        (r#""active":"true""#, "active", "must be true or false"),
        (r#""active":1"#, "active", "must be true or false"),
    ]);
}

#[test]
fn strings_beside_their_types_and_limits_are_refused() {
    assert_refused(&[
        (r#""key":true"#, "key", "must be a string"),
        (r#""key":"""#, "key", "must have 1 to 10 characters, not 0"),
        (
            r#""key":"12345678901""#,
            "key",
            "must have 1 to 10 characters, not 11",
        ),
        (r#""key":"a\u0000b""#, "key", "U+0000"),
        (
            r#""version":"v4""#,
            "version",
            "must be one of \"v2\", \"v3\"",
        ),
        (r#""version":"V3""#, "version", "did you mean \"v3\""),
        (
            r#""stage_at":1700000000"#,
            "stage_at",
            "must be a string that holds a time",
        ),
        (
            r#""stage_at":"2026-01-31T12:30:00+01:00""#,
            "stage_at",
            "must be in UTC",
        ),
        (r#""stage_at":"yesterday""#, "stage_at", "RFC 3339"),
    ]);
}

#[test]
fn arrays_hashes_and_json_beside_their_types_and_limits_are_refused() {
    let long_order = format!(r#""order":{{"k":"{}"}}"#, "x".repeat(40));
    assert_refused(&[
        (r#""statuses":"received""#, "statuses", "must be an array"),
        (
            r#""statuses":["a","b","c","d"]"#,
            "statuses",
            "must have 0 to 3 items, not 4",
        ),
        (
            r#""statuses":["a",null]"#,
            "statuses[1]",
            "must be a string",
        ),
        (r#""filters":[]"#, "filters", "must be an object"),
        (
            r#""filters":{"size":0}"#,
            "filters.size",
            "must be 1 to 200",
        ),
        (
            r#""filters":{"size":201}"#,
            "filters.size",
            "must be 1 to 200",
        ),
        (
            r#""filters":{"status":["a","b",7]}"#,
            "filters.status[2]",
            "must be a string",
        ),
        (
            r#""filters":{"status":[]}"#,
            "filters.status",
            "must have 1 to 5 items, not 0",
        ),
        (
            r#""headers":[{"name":"a"},7]"#,
            "headers[1]",
            "must be an object",
        ),
        (
            r#""headers":[{"name":"12345678901"}]"#,
            "headers[0].name",
            "not 11",
        ),
        (r#""order":[]"#, "order", "must be an object"),
        (r#""notes":{}"#, "notes", "must be an array"),
        (
            &long_order,
            "order",
            "must be at most 40 bytes of JSON, not 48",
        ),
    ]);
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one() {
    let cases = [
        (
            r#""statusses":[]"#,
            "statusses",
            "unknown parameter; did you mean \"statuses\"?",
        ),
        (
            r#""stageAt":"x""#,
            "stageAt",
            "unknown parameter; did you mean \"stage_at\"?",
        ),
        (r#""colour":null"#, "colour", "unknown parameter"),
        (
            r#""filters":{"sizes":1}"#,
            "filters.sizes",
            "unknown parameter; did you mean \"size\"?",
        ),
    ];
    for (members, attr, message) in cases {
        assert_eq!(
            faults_of(members),
            [(attr.to_owned(), message.to_owned())],
            "{members}"
        );
    }
}

#[test]
fn very_many_unknown_names_are_counted_not_listed() {
    let members: Vec<String> = (0..150).map(|index| format!("\"zz{index}\":1")).collect();
    let faults = faults_of(&members.join(","));
    assert_eq!(faults.len(), 101);
    assert!(faults.contains(&(String::new(), "has 50 more unknown parameters".to_owned())));
}

#[test]
fn every_fault_is_named_in_the_order_of_the_parameters() {
    let members = r#""zebra":1,"notes":{},"filters":{"size":"1","status":["a",1,"b",2]},"active":"x","version":"v9""#;
    let failure = with(members, |input| {
        input.fault("filters.status[2]", "does not exist");
        input.fault("integration_id", "does not exist");
        input.fault("integration_id", "does not exist");
        input.finish(|| Some(()))
    });
    let failure = failure.expect_err("much is wrong");
    assert_eq!(
        attrs(&failure),
        [
            "integration_id",
            "version",
            "active",
            "filters.status[1]",
            "filters.status[2]",
            "filters.status[3]",
            "filters.size",
            "notes",
            "zebra",
        ]
    );
}

/// Accepts only lower-case letters.
fn lower(text: &str) -> Result<String, &'static str> {
    let sound = text.bytes().all(|byte| byte.is_ascii_lowercase());
    if sound {
        Ok(text.to_owned())
    } else {
        Err("must be lower case")
    }
}

#[test]
fn a_handler_reads_what_it_needs() {
    let members = r#""version":"v2","rate":2.5,"active":false,"stage_at":"1970-01-01T00:00:01Z","statuses":["a","b"],
        "ids":[3,4],"filters":{"status":["x"],"size":5},"headers":[{"name":"n","value":"v"},{"name":"m"}],
        "order":{"a": 1.10}"#;
    with(members, |input| {
        assert_eq!(input.string_as("key", lower).as_deref(), Some("k"));
        assert_eq!(input.integer("integration_id"), Some(1));
        assert_eq!(input.number("rate"), Some(2.5));
        assert_eq!(input.boolean("active"), Some(false));
        assert_eq!(input.time("stage_at"), Some(1_000_000));
        assert_eq!(
            input.strings("statuses"),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(input.integers("ids"), Some(vec![3, 4]));
        let filters = input.hash("filters").expect("given");
        assert_eq!(filters.integer("size"), Some(5));
        let names = input.hashes("headers").map(|headers| {
            headers
                .iter()
                .map(|header| (header.string("name"), header.string("value")))
                .collect()
        });
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(names, Some(vec![(text("n"), text("v")), (text("m"), None)]));
        assert_eq!(
            input.json("order").expect("given").get(),
            r#"{"a": 1.10}"#,
            "kept as it was written"
        );
        assert!(input.json("any").is_none());
        input.finish(|| Some(()))
    })
    .expect("nothing is wrong");
}

#[test]
fn what_a_handler_refuses_joins_the_other_faults() {
    let members = r#""statuses":["A","b","C"],"filters":{"status":["X"]},"headers":[{"name":"N"}],"active":7"#;
    let failure = with(members, |input| {
        let statuses = input.strings_as("statuses", lower);
        let key = input.string_as("key", |_| Err::<(), _>("is taken"));
        input
            .hash("filters")
            .and_then(|filters| filters.strings_as("status", lower));
        for header in input.hashes("headers").into_iter().flatten() {
            header.string_as("name", lower);
        }
        input
            .hash("filters")
            .expect("given")
            .fault("size", "clashes");
        assert!(statuses.is_none() && key.is_none());
        input.finish(|| Some(()))
    })
    .expect_err("much is wrong");
    assert_eq!(
        attrs(&failure),
        [
            "key",
            "active",
            "statuses[0]",
            "statuses[2]",
            "filters.status[0]",
            "filters.size",
            "headers[0].name"
        ]
    );
}

#[test]
fn updates_tell_absent_null_and_value_apart() {
    let given = |members: &str| {
        with(members, |input| {
            Ok(input.given_string_as("version", lower_v))
        })
    };
    assert_eq!(given(r#""active":true"#), Ok(Given::Absent));
    assert_eq!(given(r#""version":null"#), Ok(Given::Null));
    assert_eq!(given(r#""version":"v2""#), Ok(Given::Value('2')));
    let lists = with(r#""statuses":null,"active":true"#, |input| {
        Ok((
            input.given_strings_as("statuses", lower),
            input.given("active", Input::boolean),
        ))
    });
    assert_eq!(lists, Ok((Given::Null, Given::Value(true))));
    let refused = with(r#""version":7"#, |input| {
        assert_eq!(input.given_string_as("version", lower_v), Given::Absent);
        input.finish(|| Some(()))
    });
    assert_eq!(refused.as_ref().map_err(attrs), Err(vec!["version"]));
}

fn lower_v(text: &str) -> Result<char, &'static str> {
    text.chars().nth(1).ok_or("too short")
}

#[test]
fn a_parameter_can_become_required_by_another() {
    let failure = with(r#""active":true,"rate":"much""#, |input| {
        if input.boolean("active") == Some(true) && input.string("version").is_none() {
            input.missing("version");
        }
        input.finish(|| Some(()))
    })
    .expect_err("version is missing");
    assert_eq!(
        (failure.status.slug, attrs(&failure)),
        ("missing-param", vec!["version"])
    );
}

#[test]
fn a_handler_that_requires_what_the_route_does_not_crashes_tidily() {
    let answer: Result<String, Failure> = with(r#""active":true"#, |input| {
        input.finish(|| input.string("version"))
    });
    assert_eq!(
        answer.map_err(|failure| failure.status.slug),
        Err("application-crash")
    );
}

#[test]
fn an_input_may_be_kept_across_threads() {
    fn check<T: Send + Sync>() {}
    check::<Input<'static>>();
}
