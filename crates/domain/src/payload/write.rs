//! Writing JSON by joining what is JSON already, and picking members out of the caller's own objects.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::order::{OrderField, OrderFields};
use crate::time::Moment;

/// An object that is being written; closed when dropped.
pub(super) struct Object<'o> {
    out: &'o mut Vec<u8>,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub(super) fn begin(out: &'o mut Vec<u8>) -> Object<'o> {
        out.push(b'{');
        Object {
            out,
            is_empty: true,
        }
    }

    /// Writes the name; the value must follow. Names are ours, and need no escapes.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A member that is JSON already, or null.
    pub(super) fn json(&mut self, name: &str, json: Option<&RawValue>) {
        let json = json.map_or("null", RawValue::get);
        self.name(name).extend_from_slice(json.as_bytes());
    }

    /// An object that the caller wrote; null where something else stands in its place.
    pub(super) fn hash(&mut self, name: &str, json: Option<&RawValue>) {
        self.json(name, json.filter(|json| json.get().starts_with('{')));
    }

    /// An array that the caller wrote; null where something else stands in its place.
    pub(super) fn array(&mut self, name: &str, json: Option<&RawValue>) {
        self.json(name, json.filter(|json| json.get().starts_with('[')));
    }

    /// A text, or null.
    pub(super) fn text(&mut self, name: &str, text: Option<&str>) {
        // A text is always JSON, and writing into a vector cannot fail.
        let _ = serde_json::to_writer(self.name(name), &text);
    }

    pub(super) fn integer(&mut self, name: &str, integer: i64) {
        // Writing into a vector cannot fail.
        let _ = write!(self.name(name), "{integer}");
    }

    pub(super) fn boolean(&mut self, name: &str, boolean: bool) {
        let boolean: &[u8] = if boolean { b"true" } else { b"false" };
        self.name(name).extend_from_slice(boolean);
    }

    pub(super) fn null(&mut self, name: &str) {
        self.name(name).extend_from_slice(b"null");
    }

    /// A time, such as `2026-01-31T12:30:00.25Z`.
    pub(super) fn time(&mut self, name: &str, time: Moment) {
        let _ = write!(self.name(name), "\"{time}\"");
    }

    /// An object within this one.
    pub(super) fn object(&mut self, name: &str) -> Object<'_> {
        Object::begin(self.name(name))
    }

    /// A value that `write` writes.
    pub(super) fn value(&mut self, name: &str, write: impl FnOnce(&mut Vec<u8>)) {
        write(self.name(name));
    }

    /// Members of the caller's object, under our names; null where they are not there.
    pub(super) fn picks(&mut self, members: &Members<'_>, names: &[(&str, &str)]) {
        for (ours, theirs) in names {
            self.json(ours, members.get(theirs));
        }
    }
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        self.out.push(b'}');
    }
}

/// The members of an object that the caller wrote; none where it is no object.
#[derive(Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// The members of a field of the order.
    pub(super) fn of(fields: &'a OrderFields, field: OrderField) -> Members<'a> {
        fields.get(field).map(Members::parse).unwrap_or_default()
    }

    pub(super) fn parse(json: &'a RawValue) -> Members<'a> {
        serde_json::from_str(json.get()).unwrap_or_default()
    }

    /// The member of this name; of several, the last one, as JSON parsers have it.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| *value)
    }
}

/// The items of an array that the caller wrote; nothing where it is no array.
pub(super) fn items(json: Option<&RawValue>) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json?.get()).ok()
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(entry) = map.next_entry::<Name<'de>, &'de RawValue>()? {
            members.push((entry.0.0, entry.1));
        }
        Ok(Members(members))
    }
}
