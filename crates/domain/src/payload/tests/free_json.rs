//! Whatever an order's fields hold: the payload is JSON, has its shape, and keeps the access code.

use std::fmt::Write;

use serde_json::Value;

use super::{VIEWS, rendered, text};
use crate::order::OrderField;
use crate::payload::View;

const ROUNDS: u32 = 2_000;
/// What must never be seen in a payload.
const CODE: &str = "CODE-4711";
/// Members that views pick, and others; some in more than one spelling.
const NAMES: [&str; 14] = [
    "access_code",
    "\\u0061ccess_code",
    "vacant",
    "street",
    "str\\u0065et",
    "first_name",
    "price",
    "group_slug",
    "tour_link",
    "photos",
    "",
    "\\\"",
    "\\u0000",
    "\u{e9}\\ud83d\\ude00",
];
const SCALARS: [&str; 12] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1.50",
    "-2e-7",
    "1e300",
    "\"\"",
    "\"\\\\\"",
    "\" } \"",
    "\"\\ud83d\\ude00\"",
];

/// A sequence of numbers that looks random: xorshift64. The domain depends on no source of chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        // Enough for small limits; the upper bits are the better ones.
        (self.0 >> 33) as usize % limit
    }

    fn one_of(&mut self, choices: &[&'static str]) -> &'static str {
        choices[self.below(choices.len())]
    }

    /// JSON of any type; objects more often than not, so that views find members.
    fn json(&mut self, out: &mut String, depth: usize) {
        let blank = self.one_of(&["", "", " ", "\n\t"]);
        match self.below(if depth == 0 { 1 } else { 5 }) {
            0 => out.push_str(self.one_of(&SCALARS)),
            1 => {
                out.push('[');
                for index in 0..self.below(4) {
                    out.push_str(if index > 0 { "," } else { blank });
                    self.json(out, depth - 1);
                }
                out.push(']');
            }
            _ => self.object(out, depth),
        }
    }

    fn object(&mut self, out: &mut String, depth: usize) {
        out.push('{');
        for index in 0..self.below(6) {
            out.push_str(if index > 0 { "," } else { "" });
            let name = self.one_of(&NAMES);
            // Writing into a string cannot fail.
            let _ = write!(out, "\"{name}\" :");
            // The code stands nowhere but in the member that has to stay behind.
            if name.ends_with("ccess_code") && depth == DEPTH {
                let _ = write!(out, "\"{CODE}\"");
            } else {
                self.json(out, depth - 1);
            }
        }
        out.push('}');
    }

    fn fields(&mut self) -> String {
        let mut out = String::from("{");
        for field in OrderField::ALL {
            if self.below(4) == 0 {
                continue;
            }
            let _ = write!(
                out,
                "{}\"{}\":",
                if out.len() > 1 { "," } else { "" },
                field.name()
            );
            match field {
                OrderField::PropertyAccess => self.object(&mut out, DEPTH),
                // Other fields may well hold a member of that name; it is the caller's own.
                _ => self.json(&mut out, DEPTH - 1),
            }
        }
        out.push('}');
        out
    }
}

const DEPTH: usize = 4;

/// The names of the members that a view itself writes, in alphabetical order.
fn names(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

/// The objects that a view itself writes, by their place in the payload.
fn own_objects(view: View) -> &'static [&'static str] {
    match view {
        View::OrderV2 => &[
            "",
            "/client",
            "/property_info",
            "/property_info/address",
            "/links",
        ],
        View::OrderV3 => &[
            "",
            "/property",
            "/property/location",
            "/property_access",
            "/assets",
        ],
        View::Thin => &[""],
    }
}

#[test]
fn any_fields_make_json_of_the_same_shape_without_the_access_code() {
    let seed = std::env::var("POSTRIDER_TEST_SEED").ok();
    let seed = seed.map_or(0x9e37_79b9_7f4a_7c15, |seed| {
        seed.parse().expect("a number")
    });
    println!("POSTRIDER_TEST_SEED={seed}");
    // Zero is the one state that xorshift never leaves.
    let mut chance = Chance(seed.max(1));
    let mut codes = 0;
    for _ in 0..ROUNDS {
        let fields = chance.fields();
        codes += usize::from(fields.contains(CODE));
        for view in VIEWS {
            let payload = rendered(view, &fields);
            let empty = rendered(view, "{}");
            for place in own_objects(view) {
                let known = payload.pointer(place).expect("is always there");
                let unknown = empty.pointer(place).expect("is always there");
                assert_eq!(names(known), names(unknown), "{place} of {fields}");
            }
            assert!(!text(view, &fields).contains(CODE), "{fields}");
        }
    }
    assert!(codes > 0, "no order had an access code");
}
