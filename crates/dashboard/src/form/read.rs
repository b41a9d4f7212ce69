//! What was sent, as the JSON parameters of a route. Nothing is judged here: what does not look like a number goes on as the
//! text that it is, for the API to refuse in its own words.

use contract::{JsonShape, Kind, Param, Route};
use serde_json::{Map, Value, json};

use super::param;
use crate::posted::Fields;

/// What an empty field means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Empty {
    /// Nothing was said: for routes that create, and lists.
    Absent,
    /// The field is to be cleared: for updates.
    Null,
}

/// The parameters of these names.
pub(crate) fn parameters(route: &Route, names: &[&str], fields: &Fields, empty: Empty) -> Value {
    let mut parameters = Map::new();
    for name in names {
        let Some(param) = param(route.params, name) else {
            continue;
        };
        let given: Vec<&str> = fields.all(name).collect();
        match value(param, &given) {
            Some(value) => set(&mut parameters, name, value),
            None if empty == Empty::Null => set(&mut parameters, name, Value::Null),
            None => {}
        }
    }
    Value::Object(parameters)
}

fn set(object: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        Some((first, rest)) => {
            let inner = object.entry(first).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
        None => {
            object.insert(name.to_owned(), value);
        }
    }
}

/// The value of a parameter from what was sent under its name; nothing where the field was left empty.
pub(crate) fn value(param: &Param, given: &[&str]) -> Option<Value> {
    let first = given.iter().copied().find(|text| !text.trim().is_empty());
    match &param.kind {
        // An unticked box is not sent.
        Kind::Boolean => Some(json!(first.is_some_and(|text| text != "false"))),
        Kind::Array { items, .. } => {
            list(given).map(|texts| texts.iter().map(|text| item(items, text)).collect())
        }
        Kind::Json {
            shape: JsonShape::Array,
            ..
        } if !first?.trim_start().starts_with('[') => {
            list(given).map(|texts| texts.iter().map(|text| number_or_text(text)).collect())
        }
        // A password may begin with a space.
        Kind::String { .. } | Kind::Token => first.map(|text| json!(text.replace("\r\n", "\n"))),
        kind => first.map(|text| item(kind, text.trim())),
    }
}

/// The values of a list: sent one by one, or in one field, one a line.
fn list<'t>(given: &[&'t str]) -> Option<Vec<&'t str>> {
    let lines = given.iter().flat_map(|text| text.lines()).map(str::trim);
    let texts: Vec<&str> = lines.filter(|text| !text.is_empty()).collect();
    (!texts.is_empty()).then_some(texts)
}

fn item(kind: &Kind, text: &str) -> Value {
    match kind {
        Kind::Integer { .. } => text
            .parse::<i64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
        Kind::Number { .. } => text
            .parse::<f64>()
            .map_or_else(|_| json!(text), |number| json!(number)),
        Kind::Time => json!(time(text)),
        Kind::Json { .. } | Kind::Hash { .. } | Kind::Batch { .. } => {
            serde_json::from_str(text).unwrap_or_else(|_| json!(text))
        }
        _ => json!(text),
    }
}

fn number_or_text(text: &str) -> Value {
    text.parse::<i64>()
        .map_or_else(|_| json!(text), |number| json!(number))
}

/// A moment as browsers write it, `2026-01-31T16:20`, which is meant in UTC.
fn time(text: &str) -> String {
    match text.len() {
        16 if !text.ends_with('Z') => format!("{text}:00Z"),
        19 if !text.ends_with('Z') => format!("{text}Z"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: &[Param] = &[
        Param::string("name"),
        Param::integer("size"),
        Param::boolean("on"),
        Param::time("at"),
        Param::array("words", &Kind::STRING),
        Param::json("who", JsonShape::Array),
        Param::hash("filters", &[Param::array("order_id", &Kind::INTEGER)]),
    ];
    const ROUTE: Route = Route::post("things", "create").params(PARAMS);

    #[test]
    fn fields_become_the_types_that_are_declared() {
        let names = [
            "name",
            "size",
            "on",
            "at",
            "words",
            "who",
            "filters.order_id",
        ];
        let cases = [
            ("", json!({ "on": false })),
            (
                "name=+a+&size=7&on=true",
                json!({ "name": " a ", "size": 7, "on": true }),
            ),
            ("size=many", json!({ "size": "many", "on": false })),
            (
                "at=2026-01-31T16:20",
                json!({ "at": "2026-01-31T16:20:00Z", "on": false }),
            ),
            (
                "words=a%0D%0Ab&words=c",
                json!({ "words": ["a", "b", "c"], "on": false }),
            ),
            ("who=crm&who=7", json!({ "who": ["crm", 7], "on": false })),
            (
                "filters.order_id=1",
                json!({ "filters": { "order_id": [1] }, "on": false }),
            ),
        ];
        for (sent, expected) in cases {
            let fields = Fields::parse(sent.as_bytes());
            assert_eq!(
                parameters(&ROUTE, &names, &fields, Empty::Absent),
                expected,
                "{sent}"
            );
        }
        let cleared = parameters(&ROUTE, &["name"], &Fields::default(), Empty::Null);
        assert_eq!(cleared, json!({ "name": null }));
    }
}
