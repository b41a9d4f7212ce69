//! What is answered, as JSON Schema; each record is a component of its own.

use serde_json::{Map, Value, json};

use crate::route::Route;
use crate::shape::{FAULT, Field, Record, Shape};

/// All records that are answered.
pub(super) fn components(routes: &[&'static Route]) -> Value {
    let mut components = Map::new();
    add(&FAULT, &mut components);
    for route in routes {
        if let Some(record) = route.data.and_then(Shape::record) {
            add(record, &mut components);
        }
    }
    Value::Object(components)
}

/// Records of one name are the same: a test of the API sees to it.
fn add(record: &'static Record, components: &mut Map<String, Value>) {
    if components.contains_key(record.name) {
        return;
    }
    components.insert(record.name.to_owned(), object(record));
    for inner in record.fields().filter_map(|field| field.shape.record()) {
        add(inner, components);
    }
}

fn object(record: &'static Record) -> Value {
    let properties: Map<String, Value> = record
        .fields()
        .map(|field| (field.name.to_owned(), member(field)))
        .collect();
    let always: Vec<&str> = record
        .fields()
        .filter(|field| !field.optional)
        .map(|field| field.name)
        .collect();
    json!({ "type": "object", "properties": properties, "required": always })
}

fn member(field: &Field) -> Value {
    let mut schema = schema(&field.shape);
    if field.nullable {
        schema = nullable(schema);
    }
    schema["description"] = field.description.into();
    schema
}

fn nullable(mut schema: Value) -> Value {
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    match schema.get("type").cloned() {
        Some(kind) => {
            schema["type"] = json!([kind, "null"]);
            schema
        }
        None if schema.get("$ref").is_some() => json!({ "anyOf": [schema, { "type": "null" }] }),
        None => schema,
    }
}

/// The schema of a value.
pub(super) fn schema(shape: &Shape) -> Value {
    match shape {
        Shape::Null => json!({ "type": "null" }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer => json!({ "type": "integer", "format": "int64" }),
        Shape::Number => json!({ "type": "number" }),
        Shape::String => json!({ "type": "string" }),
        Shape::OneOf(values) => json!({ "type": "string", "enum": values }),
        Shape::Time => json!({ "type": "string", "format": "date-time" }),
        Shape::Json => json!({}),
        Shape::List(items) => json!({ "type": "array", "items": schema(items) }),
        Shape::Record(record) => {
            json!({ "$ref": format!("#/components/schemas/{}", record.name) })
        }
    }
}
