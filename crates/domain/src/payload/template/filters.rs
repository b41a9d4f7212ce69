//! The filters of templates: the engine's own, none of which is given a value that is larger than a payload.
//!
//! A small value can stand for a huge one, since its parts may be the same list a thousand times; most filters
//! would write it out as text in memory before anybody counted. So what a filter is given is weighed first,
//! and only as far as it may weigh.

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, filters};

use super::PAYLOAD_BYTES_MAX;

/// Weight of a value beside its text, in bytes: what its brackets, quotes and commas take at least.
const VALUE_BYTES: usize = 4;
/// Bytes that are weighed for one step.
const BYTES_PER_STEP: usize = 256;

/// Replaces the engine's filters by guarded ones, and leaves out those that are no use for JSON.
pub(super) fn guard(environment: &mut Environment<'_>) {
    for name in ["indent", "pprint", "escape", "e", "format"] {
        environment.remove_filter(name);
    }
    for (name, filter) in originals() {
        let guarded = move |state: &mut State<'_, '_>, given: Rest<Value>, named: Kwargs| {
            let Rest(mut given) = given;
            if named.args().next().is_some() {
                given.push(named.into());
            }
            weigh(state, &mut given)?;
            filter.call(state, &given)
        };
        environment.add_filter(name, guarded);
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
        ("sum", Value::from_function(filters::sum)),
        ("title", Value::from_function(filters::title)),
        ("trim", Value::from_function(filters::trim)),
        ("unique", Value::from_function(filters::unique)),
        ("upper", Value::from_function(filters::upper)),
        ("zip", Value::from_function(filters::zip)),
    ]
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

/// Refuses values that weigh more than a payload may; weighing takes steps too.
fn weigh(state: &mut State<'_, '_>, values: &mut [Value]) -> Result<(), Error> {
    let mut left = PAYLOAD_BYTES_MAX;
    for value in values {
        // Iterating may do the work that is put off; once is enough.
        if value.kind() == ValueKind::Iterable {
            let items = value.try_iter()?.take(PAYLOAD_BYTES_MAX / VALUE_BYTES + 1);
            *value = Value::from(items.collect::<Vec<Value>>());
        }
        left = lightened(value, left).ok_or_else(too_heavy)?;
    }
    state.consume_fuel(((PAYLOAD_BYTES_MAX - left) / BYTES_PER_STEP) as u64)
}

/// What is left of the limit after this value; nothing where it is heavier.
fn lightened(value: &Value, left: usize) -> Option<usize> {
    let left = left.checked_sub(VALUE_BYTES)?;
    if let Some(text) = value.as_str() {
        return left.checked_sub(text.len());
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = value.try_iter().ok()?;
            items.try_fold(left, |left, item| lightened(&item, left))
        }
        ValueKind::Map => {
            let mut keys = value.try_iter().ok()?;
            keys.try_fold(left, |left, key| {
                let left = lightened(&key, left)?;
                lightened(&value.get_item(&key).ok()?, left)
            })
        }
        _ => Some(left),
    }
}

fn too_heavy() -> Error {
    let message = format!("a filter is given more than {PAYLOAD_BYTES_MAX} bytes");
    Error::new(ErrorKind::InvalidOperation, message)
}
