//! Reading JSON without building a tree of it.
//!
//! The body is walked once by [`verify`], which refuses whatever could surprise later: objects that
//! name a key twice, unpaired surrogates, numbers that no number type holds, depth. `serde_json`
//! alone would let all of these pass inside a raw slice. After that the body is only cut into raw
//! slices, level by level, where the declaration says so.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::path::shortened;

/// Deepest nesting of arrays and objects: far beyond any record, and safe for whoever walks it
/// recursively later.
pub(crate) const DEPTH_MAX: usize = 64;
/// Most keys of an object that are compared each with each: so few take less than sorting them.
const KEYS_PAIRWISE_MAX: usize = 16;

/// Checks that a text is one JSON value, sound at every depth.
pub(crate) fn verify(text: &str) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        depth: 0,
        keys: &mut Vec::new(),
    };
    walk.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Goes through a value of any type and keeps nothing of it.
struct Walk<'k, 'de> {
    depth: usize,
    /// The keys of the objects that are open, the innermost ones last; one list for the whole text.
    keys: &'k mut Vec<Cow<'de, str>>,
}

impl<'de> Walk<'_, 'de> {
    fn deeper<E: de::Error>(&mut self) -> Result<Walk<'_, 'de>, E> {
        if self.depth == DEPTH_MAX {
            return Err(E::custom(format!(
                "nested more than {DEPTH_MAX} levels deep"
            )));
        }
        Ok(Walk {
            depth: self.depth + 1,
            keys: self.keys,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(self.deeper()?)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        let outer = self.keys.len();
        while let Some(Text(key)) = members.next_key()? {
            self.keys.push(key);
            members.next_value_seed(self.deeper()?)?;
        }
        if let Some(key) = repeated(&mut self.keys[outer..]) {
            let key = shortened(key);
            return Err(de::Error::custom(format!("the key \"{key}\" stands twice")));
        }
        self.keys.truncate(outer);
        Ok(())
    }
}

/// A key that stands there twice.
fn repeated<'k>(keys: &'k mut [Cow<'_, str>]) -> Option<&'k str> {
    if keys.len() <= KEYS_PAIRWISE_MAX {
        let mut numbered = keys.iter().enumerate();
        let found = numbered.find(|(index, key)| keys[..*index].contains(key));
        return found.map(|(_, key)| &**key);
    }
    // Sorting finds repetitions in one pass, however many keys somebody sends.
    keys.sort_unstable();
    let mut pairs = keys.windows(2);
    pairs.find_map(|pair| (pair[0] == pair[1]).then_some(&*pair[0]))
}

/// A string that borrows from the text wherever it was written without escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// What is between the quotes, or `None` if the value is no string.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(raw.get())
        .ok()
        .map(|text| text.0)
}

/// The items of an array, or `None` if the value is none.
pub(crate) fn items(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

/// One key of an object with the text of its value.
pub(crate) struct Member<'a> {
    pub name: Cow<'a, str>,
    pub value: &'a RawValue,
}

impl Member<'_> {
    pub(crate) fn is_null(&self) -> bool {
        is_null(self.value)
    }
}

/// Whether a value is `null`, which for most purposes means absent.
pub(crate) fn is_null(raw: &RawValue) -> bool {
    raw.get() == "null"
}

/// The members of an object in the order they were written, or `None` if the text is none.
pub(crate) fn members(text: &str) -> Option<Vec<Member<'_>>> {
    serde_json::from_str::<Members<'_>>(text)
        .ok()
        .map(|members| members.0)
}

struct Members<'a>(Vec<Member<'a>>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Members)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<Member<'de>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some((Text(name), value)) = map.next_entry()? {
            members.push(Member { name, value });
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_json_passes() {
        let nested = "[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX);
        let texts = [
            "{}",
            " null ",
            "[]",
            r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#,
            r#""\ud83d\ude00""#,
            "123456789012345678901234567890",
            "-0.5e-3",
            nested.as_str(),
        ];
        for text in texts {
            assert!(verify(text).is_ok(), "{text}: {:?}", verify(text));
        }
    }

    #[test]
    fn what_would_surprise_later_is_refused_at_every_depth() {
        let nested = "[".repeat(DEPTH_MAX + 1) + &"]".repeat(DEPTH_MAX + 1);
        let numbers: Vec<String> = (0..100).map(|number| format!("\"{number}\":0")).collect();
        let many = format!("{{{},\"42\":0}}", numbers.join(","));
        let bottomless = r#"{"a":"#.repeat(500_000);
        let cases = [
            (r#"{"a":1,"b":2,"a":3}"#, "the key \"a\" stands twice"),
            (
                r#"{"x":[{"a":1,"\u0061":3}]}"#,
                "the key \"a\" stands twice",
            ),
            (r#"{"a":{"a":1},"a":2}"#, "the key \"a\" stands twice"),
            (many.as_str(), "the key \"42\" stands twice"),
            (r#"{"a":["\ud83d"]}"#, "line 1"),
            (r#"{"a":"\udc00"}"#, "line 1"),
            (r#"{"a":1e999}"#, "number out of range"),
            (r#"{"a":1} {}"#, "trailing characters"),
            ("{\"a\":\"\u{1}\"}", "control character"),
            (r#"{"a":01}"#, "invalid number"),
            (r#"{"a":NaN}"#, "expected"),
            (r#"{"a":1,}"#, "trailing comma"),
            ("{'a':1}", "key must be a string"),
            ("", "EOF"),
            (nested.as_str(), "nested more than 64 levels deep"),
            (bottomless.as_str(), "nested more than 64 levels deep"),
        ];
        for (text, expected) in cases {
            let shown: String = text.chars().take(40).collect();
            let message = verify(text).expect_err(&shown).to_string();
            assert!(message.contains(expected), "{shown}: {message}");
        }
    }

    #[test]
    fn members_come_as_written_with_unescaped_names() {
        let members = members(r#" {"b": [1, 2], "\u0061": null} "#).expect("an object");
        let seen: Vec<(&str, &str)> = members
            .iter()
            .map(|member| (&*member.name, member.value.get()))
            .collect();
        assert_eq!(seen, [("b", "[1, 2]"), ("a", "null")]);
        assert!(super::members("[1]").is_none());
    }
}
