//! Every answer that a test gets is compared with what the server's own document says of it, so that the
//! document cannot differ from what is really answered.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};

use super::client::Answer;
use super::server::run;

/// The document, as the binary prints it.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let printed = run(Path::new("."), &["openapi"]);
    assert!(printed.status.success(), "{printed:?}");
    let mut document = serde_json::from_slice(&printed.stdout).expect("JSON");
    close(&mut document);
    document
});

/// Compiled schemas by path, method and code.
type Compiled = HashMap<(String, String, u16), Arc<Validator>>;
static COMPILED: LazyLock<Mutex<Compiled>> = LazyLock::new(Mutex::default);

/// Fails where the answer to a request of a documented route is not as documented.
pub fn check(method: &str, path: &str, answer: &Answer) {
    let Some(operation) = DOCUMENT["paths"][path].get(method.to_ascii_lowercase()) else {
        return;
    };
    let response = &operation["responses"][answer.code.to_string()];
    let place = format!("{method} {path} {}", answer.code);
    assert!(response.is_object(), "{place} is not documented");
    for (name, header) in resolved(response)["headers"].as_object().expect("headers") {
        let value = answer.header(&name.to_ascii_lowercase());
        assert!(
            value.is_some() || resolved(header)["required"] != true,
            "{place} lacks {name}"
        );
    }
    let validator = validator(method, path, answer.code, resolved(response));
    let body = answer.json();
    let faults: Vec<String> = validator
        .iter_errors(&body)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(
        faults.is_empty(),
        "{place} is not as documented: {faults:#?}\n{body:#}"
    );
}

fn validator(method: &str, path: &str, code: u16, response: &Value) -> Arc<Validator> {
    let key = (path.to_owned(), method.to_owned(), code);
    let mut compiled = COMPILED.lock().expect("no panic inside");
    let known = compiled.entry(key).or_insert_with(|| {
        // References lead into the components.
        let mut schema = response["content"]["application/json"]["schema"].clone();
        schema["components"] = json!({ "schemas": DOCUMENT["components"]["schemas"] });
        let options = jsonschema::draft202012::options().should_validate_formats(true);
        Arc::new(options.build(&schema).expect("a schema"))
    });
    known.clone()
}

/// What a reference leads to, or the value itself.
fn resolved(value: &Value) -> &Value {
    match value["$ref"].as_str() {
        Some(pointer) => {
            let found = DOCUMENT.pointer(pointer.trim_start_matches('#'));
            found.expect("references lead somewhere")
        }
        None => value,
    }
}

/// Forbids members that are not documented. The document itself does not: clients should bear with new ones.
fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("properties").is_some_and(Value::is_object)
                && members.get("type").is_some_and(|kind| kind == "object")
            {
                members
                    .entry("additionalProperties")
                    .or_insert(false.into());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
