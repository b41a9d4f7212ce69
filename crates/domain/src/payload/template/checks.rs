//! The tests of templates (`a is eq(b)`) and their functions, each behind a guard that weighs what it is given.

use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, State, functions, tests};

use super::weight::guarded;

/// Replaces the engine's tests and functions by guarded ones.
pub(super) fn guard(environment: &mut Environment<'_>) {
    for name in ["filter", "test", "safe", "escaped"] {
        environment.remove_test(name);
    }
    for (names, test) in originals() {
        for name in names {
            let original = guarded(test.clone());
            let guarded = move |state: &mut State<'_, '_>, given: Rest<Value>, named: Kwargs| {
                original(state, given, named).map(|answer| answer.is_true())
            };
            environment.add_test(*name, guarded);
        }
    }
    for (name, function) in [
        ("dict", Value::from_function(functions::dict)),
        ("range", Value::from_function(functions::range)),
    ] {
        environment.add_function(name, guarded(function));
    }
}

fn originals() -> Vec<(&'static [&'static str], Value)> {
    vec![
        (&["boolean"], Value::from_function(tests::is_boolean)),
        (&["defined"], Value::from_function(tests::is_defined)),
        (
            &["divisibleby"],
            Value::from_function(tests::is_divisibleby),
        ),
        (&["endingwith"], Value::from_function(tests::is_endingwith)),
        (&["eq", "equalto", "=="], Value::from_function(tests::is_eq)),
        (&["even"], Value::from_function(tests::is_even)),
        (&["false"], Value::from_function(tests::is_false)),
        (&["float"], Value::from_function(tests::is_float)),
        (&["ge", ">="], Value::from_function(tests::is_ge)),
        (
            &["gt", "greaterthan", ">"],
            Value::from_function(tests::is_gt),
        ),
        (&["in"], Value::from_function(tests::is_in)),
        (&["integer", "int"], Value::from_function(tests::is_integer)),
        (&["iterable"], Value::from_function(tests::is_iterable)),
        (&["le", "<="], Value::from_function(tests::is_le)),
        (&["lower"], Value::from_function(tests::is_lower)),
        (&["lt", "lessthan", "<"], Value::from_function(tests::is_lt)),
        (&["mapping"], Value::from_function(tests::is_mapping)),
        (&["ne", "!="], Value::from_function(tests::is_ne)),
        (&["none"], Value::from_function(tests::is_none)),
        (&["number"], Value::from_function(tests::is_number)),
        (&["odd"], Value::from_function(tests::is_odd)),
        (&["sameas"], Value::from_function(tests::is_sameas)),
        (&["sequence"], Value::from_function(tests::is_sequence)),
        (
            &["startingwith"],
            Value::from_function(tests::is_startingwith),
        ),
        (&["string"], Value::from_function(tests::is_string)),
        (&["true"], Value::from_function(tests::is_true)),
        (&["undefined"], Value::from_function(tests::is_undefined)),
        (&["upper"], Value::from_function(tests::is_upper)),
    ]
}
