//! The commands of the README, as they stand, and the demo.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::server::run;

/// The blocks of the README that make up the walk-through.
fn walk_through() -> String {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).expect("a README");
    let blocks: Vec<&str> = readme
        .split("```sh walk\n")
        .skip(1)
        .map(|rest| rest.split("```").next().expect("an end"))
        .collect();
    assert_eq!(blocks.len(), 3, "the walk-through has three blocks");
    blocks.join("\n")
}

#[test]
fn the_walk_through_of_the_readme_delivers() {
    let folder = tempfile::tempdir().expect("a folder");
    let target = folder.path().join("target/release");
    std::fs::create_dir_all(&target).expect("made");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_postrider"), target.join("postrider"))
        .expect("linked");
    // The binary is there already, and the ports may be taken: these two are the only changes.
    let (api, receiver) = (free_port(), free_port());
    let script = walk_through()
        .replace("cargo build --release\n", "")
        .replace(":8080", &format!(":{api}"))
        .replace("9000", &receiver.to_string());
    let script = format!(
        "set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n{script}\n\
         until call webhook_jobs/index '{{\"integration_id\": 1}}' | grep -q '\"state\":\"delivered\"'; do :; done\n"
    );
    let mut bash = Command::new("timeout");
    bash.args(["120", "bash", "-c", &script])
        .current_dir(folder.path())
        .stdin(Stdio::null());
    // What says how the tests run is nothing that the program knows.
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("POSTRIDER_")) {
        bash.env_remove(name);
    }
    let output = bash.output().expect("bash runs");
    let text = String::from_utf8_lossy(&output.stdout).to_lowercase();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    for expected in [
        "webhook-signature: v1,",
        "\"external_order_id\":\"a-1001\"",
        "\"count\":1",
    ] {
        assert!(
            text.contains(expected),
            "{expected} is missing:\n{text}\n{errors}"
        );
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    listener.local_addr().expect("bound").port()
}

#[test]
fn the_demo_sends_receives_and_verifies() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = run(folder.path(), &["demo", "--once"]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("verified"), "{text}");
    let left = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(left, 0, "the demo leaves nothing behind");
}
