//! What a value weighs: whatever the engine may walk through is weighed and charged for first.
//!
//! A small value can stand for a huge one, since its parts may be the same list a thousand times; most filters
//! would write it out as text in memory before anybody counted. So what a filter, test or function is given is weighed,
//! and only as far as it may weigh.

use minijinja::value::{Kwargs, Rest, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::PAYLOAD_BYTES_MAX;

/// Weight of a value beside its text, in bytes: what its brackets, quotes and commas take at least.
const VALUE_BYTES: usize = 4;
/// Bytes that are weighed for one step.
const BYTES_PER_STEP: usize = 256;

/// A filter, test or function of the engine that is given, and gives, no more than a payload may hold.
pub(super) fn guarded(
    original: Value,
) -> impl Fn(&mut State<'_, '_>, Rest<Value>, Kwargs) -> Result<Value, Error> + Send + Sync + 'static
{
    move |state, Rest(mut given), named| {
        if named.args().next().is_some() {
            given.push(named.into());
        }
        weigh(state, &mut given)?;
        let made = original.call(state, &given)?;
        match made.as_str() {
            Some(text) if text.len() > PAYLOAD_BYTES_MAX => Err(too_heavy()),
            _ => Ok(made),
        }
    }
}

/// Refuses values that weigh more than a payload may; weighing takes steps too.
pub(super) fn weigh(state: &mut State<'_, '_>, values: &mut [Value]) -> Result<(), Error> {
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
    let message = format!("a filter is given, or gives, more than {PAYLOAD_BYTES_MAX} bytes");
    Error::new(ErrorKind::InvalidOperation, message)
}
