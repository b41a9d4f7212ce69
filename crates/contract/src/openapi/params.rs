//! Parameters as JSON Schema: exactly what `check` accepts, as far as the language of schemas reaches.

use serde_json::{Map, Value, json};

use crate::kind::{JsonShape, Kind};
use crate::param::Param;

/// An object with declared members; others are refused.
pub(super) fn object(params: &'static [Param]) -> Value {
    let properties: Map<String, Value> = params
        .iter()
        .map(|param| (param.name.to_owned(), schema(param)))
        .collect();
    let required: Vec<&str> = params
        .iter()
        // The token may stand in a header.
        .filter(|param| param.required && !matches!(param.kind, Kind::Token))
        .map(|param| param.name)
        .collect();
    let mut object =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// One parameter. Null for an optional one is as if it were absent, or clears what it names.
pub(super) fn schema(param: &Param) -> Value {
    let mut schema = kind(&param.kind, param.possible_values);
    // A token that is null may stand in the header.
    if !param.required || matches!(param.kind, Kind::Token) {
        admit_null(&mut schema);
    }
    schema["description"] = param.description.into();
    if param.position > 0 {
        // Properties have no order in JSON.
        schema["x-position"] = param.position.into();
    }
    schema
}

fn admit_null(schema: &mut Value) {
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    match schema.get("type").cloned() {
        Some(kind) => schema["type"] = json!([kind, "null"]),
        // Any JSON: nothing is left to forbid.
        None => {
            schema.as_object_mut().map(|members| members.remove("not"));
        }
    }
}

fn kind(kind: &Kind, possible_values: &[&str]) -> Value {
    match *kind {
        Kind::Token => json!({ "type": "string" }),
        Kind::String { .. } if !possible_values.is_empty() => {
            json!({ "type": "string", "enum": possible_values })
        }
        Kind::String {
            chars_min,
            chars_max,
        } => {
            let mut schema = json!({ "type": "string", "maxLength": chars_max });
            if chars_min > 0 {
                schema["minLength"] = chars_min.into();
            }
            schema
        }
        Kind::Integer { min, max } => {
            let mut schema = json!({ "type": "integer", "format": "int64" });
            if min > i64::MIN {
                schema["minimum"] = min.into();
            }
            if max < i64::MAX {
                schema["maximum"] = max.into();
            }
            schema
        }
        Kind::Number { min, max } => {
            let mut schema = json!({ "type": "number" });
            if min > f64::MIN {
                schema["minimum"] = min.into();
            }
            if max < f64::MAX {
                schema["maximum"] = max.into();
            }
            schema
        }
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Array {
            items,
            items_min,
            items_max,
        } => array(self::kind(items, possible_values), items_min, items_max),
        Kind::Batch {
            children,
            items_min,
            items_max,
        } => array(object(children), items_min, items_max),
        Kind::Hash { children } => object(children),
        Kind::Json { shape, bytes_max } => free_json(shape, bytes_max),
    }
}

fn array(items: Value, items_min: usize, items_max: usize) -> Value {
    let mut schema = json!({ "type": "array", "items": items, "maxItems": items_max });
    if items_min > 0 {
        schema["minItems"] = items_min.into();
    }
    schema
}

fn free_json(shape: JsonShape, bytes_max: usize) -> Value {
    // JSON Schema does not count bytes.
    match shape {
        JsonShape::Object => json!({ "type": "object", "x-max-bytes": bytes_max }),
        JsonShape::Array => json!({ "type": "array", "x-max-bytes": bytes_max }),
        JsonShape::Any => json!({ "not": { "type": "null" }, "x-max-bytes": bytes_max }),
    }
}
