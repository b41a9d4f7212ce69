//! The filters of templates: the engine's own, each behind a guard that weighs what it is given.

use minijinja::value::{Kwargs, Rest, Value};
use minijinja::{Environment, Error, ErrorKind, State, filters};

use super::weight::{guarded, weigh};

/// Filters that give a number, a truth or a text, whatever they are given.
pub(super) const PLAIN_FILTERS: [&str; 17] = [
    "abs",
    "bool",
    "capitalize",
    "count",
    "float",
    "int",
    "join",
    "length",
    "lower",
    "replace",
    "round",
    "safe",
    "string",
    "title",
    "tojson",
    "trim",
    "upper",
];

/// Replaces the engine's filters by guarded ones, and leaves out those that are no use for JSON.
pub(super) fn guard(environment: &mut Environment<'_>) {
    for name in ["indent", "pprint", "escape", "e", "format"] {
        environment.remove_filter(name);
    }
    for (name, filter) in originals() {
        environment.add_filter(name, guarded(filter));
    }
    environment.add_filter("tojson", to_json);
}

fn originals() -> Vec<(&'static str, Value)> {
    vec![
        ("abs", Value::from_function(filters::abs)),
        ("attr", Value::from_function(filters::attr)),
        ("batch", Value::from_function(filters::batch)),
        ("bool", Value::from_function(filters::bool)),
        ("capitalize", Value::from_function(filters::capitalize)),
        ("chain", Value::from_function(filters::chain)),
        ("count", Value::from_function(filters::length)),
        ("d", Value::from_function(filters::default)),
        ("default", Value::from_function(filters::default)),
        ("dictsort", Value::from_function(filters::dictsort)),
        ("first", Value::from_function(filters::first)),
        ("float", Value::from_function(filters::float)),
        ("groupby", Value::from_function(filters::groupby)),
        ("int", Value::from_function(filters::int)),
        ("items", Value::from_function(filters::items)),
        ("join", Value::from_function(filters::join)),
        ("last", Value::from_function(filters::last)),
        ("length", Value::from_function(filters::length)),
        ("lines", Value::from_function(filters::lines)),
        ("list", Value::from_function(filters::list)),
        ("lower", Value::from_function(filters::lower)),
        ("map", Value::from_function(filters::map)),
        ("max", Value::from_function(filters::max)),
        ("min", Value::from_function(filters::min)),
        ("reject", Value::from_function(filters::reject)),
        ("rejectattr", Value::from_function(filters::rejectattr)),
        ("replace", Value::from_function(filters::replace)),
        ("reverse", Value::from_function(filters::reverse)),
        ("round", Value::from_function(filters::round)),
        ("safe", Value::from_function(filters::safe)),
        ("select", Value::from_function(filters::select)),
        ("selectattr", Value::from_function(filters::selectattr)),
        ("slice", Value::from_function(filters::slice)),
        ("sort", Value::from_function(filters::sort)),
        ("split", Value::from_function(filters::split)),
        ("string", Value::from_function(filters::string)),
        ("sum", Value::from_function(sum)),
        ("title", Value::from_function(filters::title)),
        ("trim", Value::from_function(filters::trim)),
        ("unique", Value::from_function(filters::unique)),
        ("upper", Value::from_function(filters::upper)),
        ("zip", Value::from_function(filters::zip)),
    ]
}

/// A sum of numbers. Not of texts or lists, which would be copied once for each.
fn sum(state: &mut State<'_, '_>, values: Value, named: Kwargs) -> Result<Value, Error> {
    let attribute: Option<&str> = named.get("attribute")?;
    named.assert_all_used()?;
    let zero = Some(Value::from(0));
    filters::sum(
        state,
        values,
        attribute,
        zero,
        Kwargs::from_iter::<[(&str, Value); 0]>([]),
    )
}

/// A value as JSON text, which is printed as it is.
fn to_json(state: &mut State<'_, '_>, Rest(mut given): Rest<Value>) -> Result<Value, Error> {
    weigh(state, &mut given)?;
    let [value] = given.as_slice() else {
        return Err(Error::new(ErrorKind::TooManyArguments, "tojson takes none"));
    };
    let json = serde_json::to_string(value);
    let json = json.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
    Ok(Value::from_safe_string(json))
}
