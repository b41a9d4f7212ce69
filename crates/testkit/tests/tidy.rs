//! The house rules that no compiler keeps: which crate may know which, how long a file is, how a module
//! begins, and what nobody may leave behind.

#![expect(
    clippy::expect_used,
    reason = "a test says what it expects, and fails by a panic"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Lines of a file; one that grows past it lacks a concept.
const FILE_LINES_MAX: usize = 400;

/// Who may know whom, beside `domain` and `contract`'s nothing. Development dependencies are free.
const ALLOWED: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contract", &[]),
    ("store", &["domain"]),
    ("store-sqlite", &["domain", "store"]),
    ("store-postgres", &["domain", "store"]),
    ("store-laws", &["domain", "store"]),
    ("egress", &["domain"]),
    ("delivery", &["domain", "store", "egress"]),
    ("mail", &["domain", "store"]),
    ("app", &["domain", "store"]),
    ("api", &["contract", "app", "domain", "store"]),
    ("dashboard", &["contract", "app", "domain", "store"]),
    (
        "postrider",
        &[
            "domain",
            "store",
            "store-sqlite",
            "store-postgres",
            "egress",
            "delivery",
            "app",
            "api",
            "dashboard",
            "contract",
            "mail",
        ],
    ),
    ("testkit", &["domain"]),
    ("cases", &[]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn crates() -> BTreeSet<String> {
    let entries = std::fs::read_dir(root().join("crates")).expect("crates");
    entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.into_string().expect("UTF-8")
        })
        .collect()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    assert!(files.len() > 50, "the sources were not found");
    files
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            (path, text)
        })
        .collect()
}

#[test]
fn dependencies_point_in_the_allowed_directions() {
    let names = crates();
    let listed: BTreeSet<String> = ALLOWED.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names, listed, "a crate is missing from the list above");
    for (name, allowed) in ALLOWED {
        let manifest = root().join("crates").join(name).join("Cargo.toml");
        let text = std::fs::read_to_string(manifest).expect("a manifest");
        let manifest: toml::Table = text.parse().expect("TOML");
        let Some(dependencies) = manifest
            .get("dependencies")
            .and_then(|table| table.as_table())
        else {
            continue;
        };
        for dependency in dependencies.keys().filter(|key| names.contains(*key)) {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
}

#[test]
fn only_the_stores_know_sql_and_only_egress_opens_sockets_to_callbacks() {
    let allowed = [
        ("rusqlite", vec!["store-sqlite"]),
        ("tokio-postgres", vec!["store-postgres"]),
        // Neither opens a socket to a callback with the other's.
        ("rustls", vec!["egress", "store-postgres"]),
        ("hyper", vec!["egress", "postrider", "testkit", "delivery"]),
    ];
    for (library, crates_allowed) in allowed {
        for name in crates() {
            let manifest = root().join("crates").join(&name).join("Cargo.toml");
            let text = std::fs::read_to_string(manifest).expect("a manifest");
            let manifest: toml::Table = text.parse().expect("TOML");
            let has = manifest
                .get("dependencies")
                .and_then(|table| table.get(library))
                .is_some();
            let is_development = name == "delivery" && library == "hyper";
            assert!(
                !has || (crates_allowed.contains(&name.as_str()) && !is_development),
                "{name} must not depend on {library}"
            );
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for (path, text) in sources() {
        assert!(
            text.starts_with("//!"),
            "{} must begin with what it is for (//!)",
            path.display()
        );
    }
}

#[test]
fn files_are_short_enough_to_be_read_to_the_end() {
    for (path, text) in sources() {
        let lines = text.lines().count();
        assert!(
            lines <= FILE_LINES_MAX,
            "{} has {lines} lines: which concept is missing?",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_for_later() {
    // Written so that this file does not find itself.
    let leftovers = ["TO", "FIX", "todo"].map(|start| match start {
        "TO" => "TODO".to_owned(),
        "FIX" => "FIXME".to_owned(),
        start => format!("{start}!("),
    });
    for (path, text) in sources() {
        if path.ends_with("tests/tidy.rs") {
            continue;
        }
        for leftover in &leftovers {
            assert!(
                !text.contains(leftover.as_str()),
                "{} holds {leftover}",
                path.display()
            );
        }
    }
}

#[test]
fn every_law_is_in_the_list_of_its_file() {
    let folder = root().join("crates/store-laws/src");
    let laws = sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with(&folder));
    for (path, text) in laws {
        let Some((laws, list)) = text.split_once("macro_rules!") else {
            continue;
        };
        let mut listed: Vec<&str> = list
            .split(|character: char| !character.is_alphanumeric() && character != '_')
            .collect();
        listed.sort_unstable();
        for law in laws.split("\npub async fn ").skip(1) {
            let name = law.split('(').next().unwrap_or_default();
            assert!(
                listed.binary_search(&name).is_ok(),
                "{name} is missing from the list of {}",
                path.display()
            );
        }
    }
}
