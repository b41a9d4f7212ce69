//! The pages for people, read by a real Chromium: phone and desktop, light and dark.

use std::path::Path;
use std::process::Command;

use crate::harness::Server;

/// Where Debian's package has it.
const CHROMIUM: &str = "/usr/bin/chromium";

#[test]
fn pages_are_readable_everywhere_and_for_everybody() {
    let server = Server::start();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../.venv/bin/python");
    // Pictures of every page, for people's eyes: POSTRIDER_TEST_PICTURES names a folder that is kept.
    let own = tempfile::tempdir().expect("a folder");
    let pictures = std::env::var("POSTRIDER_TEST_PICTURES");
    let pictures = pictures.unwrap_or_else(|_| own.path().display().to_string());
    let read = Command::new(python)
        .arg(root.join("tests/it/documentation/browse.py"))
        .args([
            format!("http://{}", server.address),
            CHROMIUM.to_owned(),
            pictures,
        ])
        .output();
    let read = read.expect("scripts/test installs Python");
    let (out, error) = (
        String::from_utf8_lossy(&read.stdout),
        String::from_utf8_lossy(&read.stderr),
    );
    assert!(read.status.success(), "{out}\n{error}");
}
