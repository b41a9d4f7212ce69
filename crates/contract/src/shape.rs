//! What a route answers under `data`: declared like its parameters, for documentation and for the tests
//! that compare it with what is really answered.

use std::collections::HashSet;

use serde_json::Value;

/// The form of a value in an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shape {
    /// Always `null`: there is nothing to say.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A whole number of up to 64 bits.
    Integer,
    /// Any number.
    Number,
    /// A string.
    String,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A moment: RFC 3339, in UTC.
    Time,
    /// JSON whose inside is the caller's own affair.
    Json,
    /// An object with declared members.
    Record(&'static Record),
    /// An array whose every item has one shape.
    List(&'static Shape),
}

/// An object in an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// Its name in OpenAPI, in singular: the noun, and what distinguishes it from others of that noun.
    pub name: &'static str,
    /// Its members, in groups, so that records can share them.
    pub parts: &'static [&'static [Field]],
}

/// A member of an object in an answer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What its value is where it is not null.
    pub shape: Shape,
    /// Whether `null` may stand in its place.
    pub nullable: bool,
    /// Whether it may be absent.
    pub optional: bool,
    /// What it means.
    pub description: &'static str,
    /// A value as JSON text for examples; empty for the usual one of its shape.
    pub example: &'static str,
}

/// One thing that is wrong with a request, as [`Fault`](crate::Fault) is answered.
pub const FAULT: Record = Record {
    name: "fault",
    parts: &[&[
        Field::new(
            "attr",
            Shape::String,
            "The parameter, nested as `filters.status[2]`, counted from 0.",
        ),
        Field::new("message", Shape::String, "What is wrong with it."),
    ]],
};

impl Field {
    /// A member that is always there and never null.
    pub const fn new(name: &'static str, shape: Shape, description: &'static str) -> Self {
        Field {
            name,
            shape,
            nullable: false,
            optional: false,
            description,
            example: "",
        }
    }

    /// May be null.
    pub const fn nullable(mut self) -> Self {
        self.nullable = true;
        self
    }

    /// May be absent.
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Has this value in examples, as JSON text.
    pub const fn such_as(mut self, json: &'static str) -> Self {
        self.example = json;
        self
    }

    /// Its value in an example; nothing where it is left out.
    fn example(&self) -> Option<Value> {
        match serde_json::from_str(self.example) {
            Ok(example) => Some(example),
            Err(_) if self.optional => None,
            Err(_) if self.nullable => Some(Value::Null),
            Err(_) => Some(self.shape.example()),
        }
    }
}

impl Record {
    /// Its members.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> {
        self.parts.iter().flat_map(|part| part.iter())
    }
}

impl Shape {
    /// The word that the reference page uses for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Shape::Null => "null",
            Shape::Boolean => "boolean",
            Shape::Integer => "integer",
            Shape::Number => "number",
            Shape::String | Shape::OneOf(_) => "string",
            Shape::Time => "time",
            Shape::Json => "json",
            Shape::Record(_) => "hash",
            Shape::List(_) => "array",
        }
    }

    /// The record in it, through lists.
    pub const fn record(&self) -> Option<&'static Record> {
        match self {
            Shape::Record(record) => Some(record),
            Shape::List(items) => items.record(),
            _ => None,
        }
    }

    /// A value of this shape.
    pub fn example(&self) -> Value {
        match self {
            Shape::Null => Value::Null,
            Shape::Boolean => true.into(),
            Shape::Integer => 7.into(),
            Shape::Number => 0.5.into(),
            Shape::String => "…".into(),
            Shape::OneOf(values) => values.first().copied().into(),
            Shape::Time => "2026-01-31T16:20:00Z".into(),
            Shape::Json => Value::Object(serde_json::Map::new()),
            Shape::List(items) => Value::Array(vec![items.example()]),
            Shape::Record(record) => record
                .fields()
                .filter_map(|field| Some((field.name.to_owned(), field.example()?)))
                .collect(),
        }
    }

    /// Whether the value has this shape, members that are not declared aside.
    fn fits(&self, value: &Value) -> bool {
        match self {
            Shape::Null => value.is_null(),
            Shape::Boolean => value.is_boolean(),
            Shape::Integer => value.is_i64(),
            Shape::Number => value.is_number(),
            Shape::String | Shape::Time => value.is_string(),
            Shape::OneOf(values) => value.as_str().is_some_and(|text| values.contains(&text)),
            Shape::Json => true,
            Shape::List(shape) => value
                .as_array()
                .is_some_and(|items| items.iter().all(|item| shape.fits(item))),
            Shape::Record(record) => record.fields().all(|field| match value.get(field.name) {
                Some(Value::Null) if field.nullable => true,
                Some(member) => field.shape.fits(member),
                None => field.optional,
            }),
        }
    }

    /// What is wrong with the declaration, for tests.
    pub(crate) fn flaws(&self, flaws: &mut Vec<String>) {
        let Some(record) = self.record() else {
            return;
        };
        let mut names = HashSet::new();
        for field in record.fields() {
            let place = format!("the answer's {}.{}", record.name, field.name);
            if !names.insert(field.name) {
                flaws.push(format!("{place} is declared twice"));
            }
            if field.description.is_empty() {
                flaws.push(format!("{place} has no description"));
            }
            let example = serde_json::from_str::<Value>(field.example);
            if !field.example.is_empty() && !example.is_ok_and(|value| field.shape.fits(&value)) {
                flaws.push(format!("{place} has an example of another shape"));
            }
            field.shape.flaws(flaws);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INNER: Record = Record {
        name: "inner",
        parts: &[&[
            Field::new("state", Shape::OneOf(&["on", "off"]), "How it is."),
            Field::new("since", Shape::Time, "Since when.").nullable(),
        ]],
    };
    const OUTER: Shape = Shape::List(&Shape::Record(&Record {
        name: "outer",
        parts: &[
            &[Field::new("id", Shape::Integer, "Its identity.").such_as("12")],
            &[
                Field::new("inner", Shape::Record(&INNER), "Its inside."),
                Field::new("mark", Shape::Boolean, "A mark.").optional(),
            ],
        ],
    }));

    #[test]
    fn examples_are_made_of_the_declaration_and_fit_it() {
        let example = OUTER.example();
        assert_eq!(
            example,
            json!([{ "id": 12, "inner": { "state": "on", "since": null } }])
        );
        assert!(OUTER.fits(&example));
        for other in [
            json!({}),
            json!([{ "id": "12", "inner": { "state": "on", "since": null } }]),
            json!([{ "id": 12, "inner": { "state": "?", "since": null } }]),
            json!([{ "id": 12, "inner": { "state": "on" } }]),
        ] {
            assert!(!OUTER.fits(&other), "{other}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_declaration_is_found() {
        const BAD: Record = Record {
            name: "bad",
            parts: &[&[
                Field::new("id", Shape::Integer, ""),
                Field::new("id", Shape::Integer, "Its identity.").such_as("\"12\""),
            ]],
        };
        let mut flaws = Vec::new();
        Shape::Record(&BAD).flaws(&mut flaws);
        assert_eq!(
            flaws,
            [
                "the answer's bad.id has no description",
                "the answer's bad.id is declared twice",
                "the answer's bad.id has an example of another shape"
            ]
        );
    }
}
