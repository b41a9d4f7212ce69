//! The document that is checked in is the one that the declarations make.

use std::collections::HashMap;
use std::path::Path;

use contract::Record;
use serde_json::Value;

use crate::endpoints::all_routes;
use crate::openapi::openapi;

#[test]
fn the_document_checked_in_is_that_of_the_declarations() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let checked_in: Value = serde_json::from_str(&text).unwrap_or_default();
    let generated: Value = serde_json::from_str(&openapi()).expect("JSON");
    assert!(
        checked_in == generated,
        "docs/openapi.json is out of date; renew it: cargo run -- openapi > docs/openapi.json"
    );
}

#[test]
fn records_of_one_name_are_the_same() {
    fn visit(record: &'static Record, known: &mut HashMap<&str, &'static Record>) {
        let before = known.insert(record.name, record);
        assert!(
            before.is_none_or(|before| before == record),
            "two records are called {}",
            record.name
        );
        for inner in record.fields().filter_map(|field| field.shape.record()) {
            visit(inner, known);
        }
    }
    let mut known = HashMap::new();
    visit(&contract::FAULT, &mut known);
    for record in all_routes().filter_map(|route| route.data?.record()) {
        visit(record, &mut known);
    }
    assert!(known.len() > 10, "the records were not found");
}
