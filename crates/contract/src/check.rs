//! Turns raw values into typed ones by their declaration, noting every fault and stopping at none.

use std::borrow::Cow;
use std::fmt::Display;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::fault::Faults;
use crate::input::Input;
use crate::json::{self, Member};
use crate::kind::{JsonShape, Kind};
use crate::nearest::nearest;
use crate::param::Param;
use crate::path::Path;
use crate::time;

/// Most unknown names of one object that are each given a fault of their own: an answer should not
/// be longer than the nonsense it answers.
const UNKNOWN_NAMES_MAX: usize = 100;

/// A value that keeps to its declaration.
pub(crate) enum Value<'a> {
    String(Cow<'a, str>),
    Integer(i64),
    Number(f64),
    Boolean(bool),
    /// Microseconds since 1970.
    Time(i64),
    /// Each item, or nothing where it was refused.
    Array(Vec<Option<Value<'a>>>),
    Hash(Input<'a>),
    /// The items of a batch, each with faults of its own.
    Batch(Vec<Input<'a>>),
    Json(&'a RawValue),
}

/// What the body has for one declared parameter.
pub(crate) enum Slot<'a> {
    Absent,
    Null,
    /// Something that was refused; the fault is noted.
    Refused,
    Value(Value<'a>),
}

/// Reads an object by its declaration.
pub(crate) fn object<'a>(
    params: &'static [Param],
    members: &[Member<'a>],
    place: Path<'_>,
    faults: &Arc<Faults>,
) -> Input<'a> {
    let mut slots: Vec<Slot<'a>> = params.iter().map(|_| Slot::Absent).collect();
    let mut unknown = 0;
    for member in members {
        let path = Path::Name(&place, &member.name);
        let declared = params
            .iter()
            .zip(&mut slots)
            .find(|(param, _)| param.name == member.name);
        match declared {
            Some((_, slot)) if member.is_null() => *slot = Slot::Null,
            Some((param, slot)) => {
                *slot = match value(
                    &param.kind,
                    param.possible_values,
                    member.value,
                    path,
                    faults,
                ) {
                    Some(value) => Slot::Value(value),
                    None => Slot::Refused,
                }
            }
            None => {
                unknown += 1;
                if unknown <= UNKNOWN_NAMES_MAX {
                    faults.invalid(path, unknown_name(&member.name, params));
                }
            }
        }
    }
    if unknown > UNKNOWN_NAMES_MAX {
        let rest = unknown - UNKNOWN_NAMES_MAX;
        faults.invalid(place, format!("has {rest} more unknown parameters"));
    }
    for (param, slot) in params.iter().zip(&slots) {
        let absent = matches!(slot, Slot::Absent | Slot::Null);
        // The token may stand in a header, and has been looked for by now.
        if param.required && absent && !matches!(param.kind, Kind::Token) {
            faults.missing(Path::Name(&place, param.name));
        }
    }
    Input::new(params, slots, place.to_string(), Arc::clone(faults))
}

fn unknown_name(name: &str, params: &[Param]) -> String {
    match nearest(name, params.iter().map(|param| param.name)) {
        Some(known) => format!("unknown parameter; did you mean \"{known}\"?"),
        None => "unknown parameter".to_owned(),
    }
}

/// Reads one value that is not null; `None` once its faults are noted.
fn value<'a>(
    kind: &'static Kind,
    possible_values: &'static [&'static str],
    raw: &'a RawValue,
    path: Path<'_>,
    faults: &Arc<Faults>,
) -> Option<Value<'a>> {
    let checked = match *kind {
        Kind::Token | Kind::String { .. } => string(kind, possible_values, raw).map(Value::String),
        Kind::Integer { min, max } => integer(raw, min, max).map(Value::Integer),
        Kind::Number { min, max } => number(raw, min, max).map(Value::Number),
        Kind::Boolean => boolean(raw).map(Value::Boolean),
        Kind::Time => moment(raw).map(Value::Time),
        Kind::Json { shape, bytes_max } => free_json(raw, shape, bytes_max).map(Value::Json),
        Kind::Hash { children } => return hash(children, raw, path, faults).map(Value::Hash),
        Kind::Batch {
            children,
            items_min,
            items_max,
        } => items(raw, items_min, items_max)
            .map(|items| Value::Batch(batch(children, &items, path, faults))),
        Kind::Array {
            items: kind,
            items_min,
            items_max,
        } => match items(raw, items_min, items_max) {
            Ok(items) => Ok(Value::Array(array(
                kind,
                possible_values,
                &items,
                path,
                faults,
            ))),
            Err(message) => Err(message),
        },
    };
    checked
        .map_err(|message| faults.invalid(path, message))
        .ok()
}

fn hash<'a>(
    children: &'static [Param],
    raw: &'a RawValue,
    path: Path<'_>,
    faults: &Arc<Faults>,
) -> Option<Input<'a>> {
    match json::members(raw.get()) {
        Some(members) => Some(object(children, &members, path, faults).with_sent(members)),
        None => {
            faults.invalid(path, "must be an object");
            None
        }
    }
}

/// Checks every item, though one before it was refused already.
fn array<'a>(
    kind: &'static Kind,
    possible_values: &'static [&'static str],
    items: &[&'a RawValue],
    path: Path<'_>,
    faults: &Arc<Faults>,
) -> Vec<Option<Value<'a>>> {
    items
        .iter()
        .enumerate()
        .map(|(index, item)| {
            value(
                kind,
                possible_values,
                item,
                Path::Index(&path, index),
                faults,
            )
        })
        .collect()
}

/// Gives every item a list of faults of its own. One that is no object has that fault, and no
/// members.
fn batch<'a>(
    children: &'static [Param],
    items: &[&'a RawValue],
    path: Path<'_>,
    faults: &Arc<Faults>,
) -> Vec<Input<'a>> {
    let item = |(index, raw): (usize, &&'a RawValue)| {
        let place = Path::Index(&path, index);
        let own = faults.apart();
        hash(children, raw, place, &own).unwrap_or_else(|| {
            let slots = children.iter().map(|_| Slot::Refused).collect();
            Input::new(children, slots, place.to_string(), own)
        })
    };
    items.iter().enumerate().map(item).collect()
}

fn items(raw: &RawValue, items_min: usize, items_max: usize) -> Result<Vec<&RawValue>, String> {
    let items = json::items(raw).ok_or("must be an array")?;
    let count = items.len();
    if (items_min..=items_max).contains(&count) {
        return Ok(items);
    }
    Err(format!(
        "must have {}, not {count}",
        range(items_min, items_max, "items")
    ))
}

fn string<'a>(
    kind: &Kind,
    possible_values: &[&str],
    raw: &'a RawValue,
) -> Result<Cow<'a, str>, String> {
    let text = json::string(raw).ok_or("must be a string")?;
    if text.contains('\0') {
        return Err("must not contain the character U+0000".to_owned());
    }
    if !possible_values.is_empty() && !possible_values.contains(&&*text) {
        return Err(impossible(&text, possible_values));
    }
    if let Kind::String {
        chars_min,
        chars_max,
    } = *kind
    {
        let count = text.chars().count();
        if !(chars_min..=chars_max).contains(&count) {
            return Err(format!(
                "must have {}, not {count}",
                range(chars_min, chars_max, "characters")
            ));
        }
    }
    Ok(text)
}

fn impossible(text: &str, possible_values: &[&str]) -> String {
    let listed = possible_values.join("\", \"");
    match nearest(text, possible_values.iter().copied()) {
        Some(near) => format!("must be one of \"{listed}\"; did you mean \"{near}\"?"),
        None => format!("must be one of \"{listed}\""),
    }
}

fn integer(raw: &RawValue, min: i64, max: i64) -> Result<i64, String> {
    let text = raw.get();
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("must be an integer, written without quotes, fraction or exponent".to_owned());
    }
    // What does not fit into 64 bits is out of every range.
    let integer = text
        .parse()
        .ok()
        .filter(|integer| (min..=max).contains(integer));
    integer.ok_or_else(|| format!("must be {}", range(min, max, "")))
}

fn number(raw: &RawValue, min: f64, max: f64) -> Result<f64, String> {
    let number: f64 = serde_json::from_str(raw.get()).map_err(|_| "must be a number")?;
    if (min..=max).contains(&number) {
        Ok(number)
    } else {
        Err(format!("must be {}", range(min, max, "")))
    }
}

fn boolean(raw: &RawValue) -> Result<bool, String> {
    match raw.get() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("must be true or false, without quotes".to_owned()),
    }
}

fn moment(raw: &RawValue) -> Result<i64, String> {
    let text = json::string(raw).ok_or("must be a string that holds a time")?;
    time::parse(&text).map_err(str::to_owned)
}

fn free_json(raw: &RawValue, shape: JsonShape, bytes_max: usize) -> Result<&RawValue, String> {
    let text = raw.get();
    match shape {
        JsonShape::Object if !text.starts_with('{') => Err("must be an object".to_owned()),
        JsonShape::Array if !text.starts_with('[') => Err("must be an array".to_owned()),
        _ if text.len() > bytes_max => Err(format!(
            "must be at most {bytes_max} bytes of JSON, not {}",
            text.len()
        )),
        _ => Ok(raw),
    }
}

fn range<T: Display + PartialEq>(min: T, max: T, unit: &str) -> String {
    let range = if min == max {
        format!("exactly {min} {unit}")
    } else {
        format!("{min} to {max} {unit}")
    };
    range.trim_end().to_owned()
}
