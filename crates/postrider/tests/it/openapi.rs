//! Other people's validator judges the document that the binary prints.

use std::path::Path;
use std::process::Command;

use crate::harness::server::run;
use crate::verifier::python;

const VALIDATE: &str = r#"
import json, sys
from openapi_spec_validator import OpenAPIV31SpecValidator, validate
with open(sys.argv[1]) as file:
    validate(json.load(file), cls=OpenAPIV31SpecValidator)
"#;

#[test]
fn the_document_is_valid_openapi() {
    let printed = run(Path::new("."), &["openapi"]);
    assert!(printed.status.success(), "{printed:?}");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, printed.stdout).expect("written");
    let judged = Command::new(python())
        .args(["-c", VALIDATE])
        .arg(&path)
        .output()
        .expect("python runs");
    assert!(
        judged.status.success(),
        "{}",
        String::from_utf8_lossy(&judged.stderr)
    );
}
