//! The checked parameters of a request, as a handler takes them.
//!
//! Asking for a parameter never ends the request: an accessor gives `None` for what is absent, null
//! or refused, and a refusal is noted. [`Input::finish`] then gives the handler's record or all
//! faults together. What the handler does not ask for has been checked all the same.

use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;

use crate::check::{Slot, Value};
use crate::failure::Failure;
use crate::fault::Faults;
use crate::given::Given;
use crate::json::Member;
use crate::param::Param;
use crate::path::Path;

/// The parameters of a request, of a hash within it, or of one item of a batch.
///
/// A hash shares the list of faults with the input it came from; an item of a batch has its own.
/// Places given to [`Input::fault`] are relative to the input, and reported from the body's root.
pub struct Input<'a> {
    params: &'static [Param],
    /// One for each of `params`, in the same order.
    slots: Vec<Slot<'a>>,
    /// As they were written, unknown ones too; without the token.
    sent: Vec<Member<'a>>,
    /// Where it stands in the body; empty for the body itself.
    place: String,
    faults: Arc<Faults>,
}

/// Names the place only: parameters can hold secrets.
impl fmt::Debug for Input<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Input")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl<'a> Input<'a> {
    pub(crate) fn new(
        params: &'static [Param],
        slots: Vec<Slot<'a>>,
        place: String,
        faults: Arc<Faults>,
    ) -> Self {
        Input {
            params,
            slots,
            sent: Vec::new(),
            place,
            faults,
        }
    }

    pub(crate) fn with_sent(mut self, sent: Vec<Member<'a>>) -> Self {
        self.sent = sent;
        self
    }

    /// Every member with its JSON as it was written, in the order it was sent; without the token.
    /// For comparing two requests, not for reading parameters.
    pub fn sent(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.sent.iter().map(|member| (&*member.name, member.value))
    }

    /// Whether a parameter is there and not null, be it refused.
    pub fn is_given(&self, name: &str) -> bool {
        matches!(self.slot(name), Some(Slot::Value(_) | Slot::Refused))
    }

    /// A parameter of any kind, exactly as it was written: for what is kept as JSON.
    pub fn raw(&self, name: &str) -> Option<Box<RawValue>> {
        self.value(name)?;
        let member = self.sent.iter().find(|member| member.name == name)?;
        Some(member.value.to_owned())
    }

    /// A string.
    pub fn string(&self, name: &str) -> Option<String> {
        self.string_as(name, |text| Ok::<_, fmt::Error>(text.to_owned()))
    }

    /// A string that `parse` makes into more. Its error becomes the parameter's fault, and must not
    /// repeat secrets.
    pub fn string_as<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.value(name)? {
            Value::String(text) => self.noted(|| self.path(name), parse(text)),
            _ => declared_otherwise(name, "string"),
        }
    }

    /// An integer.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Integer(integer) => Some(*integer),
            _ => declared_otherwise(name, "integer"),
        }
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.value(name)? {
            Value::Number(number) => Some(*number),
            _ => declared_otherwise(name, "number"),
        }
    }

    /// A boolean.
    pub fn boolean(&self, name: &str) -> Option<bool> {
        match self.value(name)? {
            Value::Boolean(boolean) => Some(*boolean),
            _ => declared_otherwise(name, "boolean"),
        }
    }

    /// A moment, in microseconds since 1970.
    pub fn time(&self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Time(microseconds) => Some(*microseconds),
            _ => declared_otherwise(name, "time"),
        }
    }

    /// Free JSON, exactly as it was written.
    pub fn json(&self, name: &str) -> Option<Box<RawValue>> {
        match self.value(name)? {
            Value::Json(raw) => Some((*raw).to_owned()),
            _ => declared_otherwise(name, "json"),
        }
    }

    /// An array of strings.
    pub fn strings(&self, name: &str) -> Option<Vec<String>> {
        self.strings_as(name, |text| Ok::<_, fmt::Error>(text.to_owned()))
    }

    /// An array of strings, each of which `parse` makes into more. Every item that it refuses is a
    /// fault of its own.
    pub fn strings_as<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Vec<T>> {
        let parsed =
            self.array(name)?
                .iter()
                .enumerate()
                .map(|(index, item)| match item.as_ref()? {
                    Value::String(text) => {
                        self.noted(|| format!("{}[{index}]", self.path(name)), parse(text))
                    }
                    _ => declared_otherwise(name, "array of strings"),
                });
        // All items first: collecting into an option would stop at the first fault.
        parsed.collect::<Vec<_>>().into_iter().collect()
    }

    /// The strings of an array that are sound in themselves, with their indexes, though others were
    /// refused: for finding out what else is wrong with them.
    pub fn sound_strings(&self, name: &str) -> Vec<(usize, &str)> {
        let items = self.array(name).unwrap_or_default().iter().enumerate();
        items
            .filter_map(|(index, item)| match item.as_ref()? {
                Value::String(text) => Some((index, &**text)),
                _ => declared_otherwise(name, "array of strings"),
            })
            .collect()
    }

    /// An array of integers.
    pub fn integers(&self, name: &str) -> Option<Vec<i64>> {
        let integers = self.array(name)?.iter().map(|item| match item.as_ref()? {
            Value::Integer(integer) => Some(*integer),
            _ => declared_otherwise(name, "array of integers"),
        });
        integers.collect()
    }

    /// A hash, whose faults are noted with those of this input.
    pub fn hash(&self, name: &str) -> Option<&Input<'a>> {
        match self.value(name)? {
            Value::Hash(hash) => Some(hash),
            _ => declared_otherwise(name, "hash"),
        }
    }

    /// An array of hashes, whose faults are noted with those of this input.
    pub fn hashes(&self, name: &str) -> Option<Vec<&Input<'a>>> {
        let hashes = self.array(name)?.iter().map(|item| match item.as_ref()? {
            Value::Hash(hash) => Some(hash),
            _ => declared_otherwise(name, "array of hashes"),
        });
        hashes.collect()
    }

    /// The items of a batch. Each has faults of its own, and is finished on its own.
    pub fn batch(&self, name: &str) -> Option<&[Input<'a>]> {
        match self.value(name)? {
            Value::Batch(items) => Some(items),
            _ => declared_otherwise(name, "batch"),
        }
    }

    /// What an update says about a parameter that `read` reads, such as `Input::boolean`. Refused
    /// counts as absent here, its fault being noted.
    pub fn given<T>(&self, name: &str, read: impl FnOnce(&Self, &str) -> Option<T>) -> Given<T> {
        match self.slot(name) {
            Some(Slot::Null) => Given::Null,
            _ => read(self, name).map_or(Given::Absent, Given::Value),
        }
    }

    /// What an update says about a string that `parse` makes into more.
    pub fn given_string_as<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Given<T> {
        self.given(name, |input, name| input.string_as(name, parse))
    }

    /// What an update says about an array of strings, each of which `parse` makes into more.
    pub fn given_strings_as<T, E: fmt::Display>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Given<Vec<T>> {
        self.given(name, |input, name| input.strings_as(name, parse))
    }

    /// Notes a fault that only the handler can see, such as an id that does not exist. `attr` is a
    /// place within this input, such as `statuses[2]`.
    pub fn fault(&self, attr: &str, message: impl fmt::Display) {
        self.faults.invalid(self.path(attr), message.to_string());
    }

    /// Notes that a parameter is missing which only others make required.
    pub fn missing(&self, attr: &str) {
        self.faults.missing(self.path(attr));
    }

    /// The record that `build` makes of what was read, if nothing at all was at fault. `build` may
    /// use `?` on what is required, since that can only be `None` when a fault has been noted.
    ///
    /// # Errors
    /// `missing-param` with all that is missing, or else `invalid-param` with every fault, in the
    /// order of the parameters and each once. `application-crash` should `build` give nothing
    /// though nothing is at fault: the handler then takes for required what the route declares as
    /// optional.
    pub fn finish<T>(&self, build: impl FnOnce() -> Option<T>) -> Result<T, Failure> {
        match self.faults.failure() {
            Some(failure) => Err(failure),
            None => build().ok_or_else(Failure::crash),
        }
    }

    /// Everything required that is missing, if anything is.
    pub(crate) fn missing_param(&self) -> Option<Failure> {
        self.faults.missing_param()
    }

    fn slot(&self, name: &str) -> Option<&Slot<'a>> {
        let slot = self
            .params
            .iter()
            .zip(&self.slots)
            .find(|(param, _)| param.name == name);
        debug_assert!(slot.is_some(), "the route does not declare {name}");
        slot.map(|(_, slot)| slot)
    }

    fn value(&self, name: &str) -> Option<&Value<'a>> {
        match self.slot(name)? {
            Slot::Value(value) => Some(value),
            Slot::Absent | Slot::Null | Slot::Refused => None,
        }
    }

    fn array(&self, name: &str) -> Option<&[Option<Value<'a>>]> {
        match self.value(name)? {
            Value::Array(items) => Some(items),
            _ => declared_otherwise(name, "array"),
        }
    }

    /// Only a fault needs its place written.
    fn noted<T, E: fmt::Display>(
        &self,
        attr: impl FnOnce() -> String,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.faults.invalid(attr(), error.to_string()))
            .ok()
    }

    fn path(&self, attr: &str) -> String {
        Path::Name(&Path::Base(&self.place), attr).to_string()
    }
}

/// A handler asked for another type than its route declares: a defect that its first test shows.
fn declared_otherwise<T>(name: &str, kind: &str) -> Option<T> {
    debug_assert!(false, "{name} is not declared as {kind}");
    None
}
