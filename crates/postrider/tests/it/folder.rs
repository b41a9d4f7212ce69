//! Data folders, configuration and commands that cannot be: each is told with its remedy.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::harness::Server;
use crate::harness::server::{postrider, run};

/// The words that the command ends with, and whether it failed as it must.
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} should fail");
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(!text.contains("panicked"), "{text}");
    text
}

#[test]
fn a_second_server_on_the_same_folder_is_refused() {
    let server = Server::start_embedded();
    let folder = server.folder();
    let text = refused(
        &folder,
        &["serve", "--data", ".", "--listen", "127.0.0.1:0"],
    );
    assert!(
        text.contains("another `postrider serve` is running"),
        "{text}"
    );
    assert!(text.contains("--data"), "{text}");
    let listed = run(&folder, &["application", "list", "--data", ".", "--json"]);
    assert!(
        listed.status.success(),
        "commands go on beside the server: {listed:?}"
    );
}

#[test]
fn a_taken_port_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = taken.local_addr().expect("bound").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let text = refused(
        folder.path(),
        &["serve", "--data", "data", "--listen", &address],
    );
    assert!(text.contains(&address), "{text}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "x").expect("written");
    for data in ["file", "file/below"] {
        let text = refused(
            folder.path(),
            &["serve", "--data", data, "--listen", "127.0.0.1:0"],
        );
        assert!(
            text.contains("data folder") && text.contains("--data"),
            "{text}"
        );
    }
}

#[test]
fn a_database_that_is_none_or_is_newer_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(
        folder.path(),
        &["application", "create", "--data", "data", "--slug", "a"],
    );
    assert!(made.status.success(), "{made:?}");
    let file = folder.path().join("data/postrider.db");
    let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];

    let newer = "import sqlite3, sys\n\
        database = sqlite3.connect(sys.argv[1])\n\
        database.execute('pragma user_version = 999')\n\
        database.commit()";
    let raised = std::process::Command::new(crate::verifier::python())
        .args(["-c", newer])
        .arg(&file)
        .status()
        .expect("python runs");
    assert!(raised.success());
    let text = refused(folder.path(), &serve);
    assert!(
        text.contains("postrider.db") && text.contains("999"),
        "{text}"
    );
    assert!(text.contains("use the newer program"), "{text}");

    let nonsense = "this is no database, and long enough to be looked at".repeat(100);
    for extra in ["-wal", "-shm"] {
        // Left by the program that was refused, or not.
        let _ = std::fs::remove_file(folder.path().join(format!("data/postrider.db{extra}")));
    }
    std::fs::write(&file, &nonsense).expect("written");
    let text = refused(folder.path(), &serve);
    assert!(text.contains("postrider.db"), "{text}");
    assert_eq!(std::fs::read_to_string(&file).expect("readable"), nonsense);
}

#[test]
fn data_without_its_key_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = run(
        folder.path(),
        &["application", "create", "--data", "data", "--slug", "a"],
    );
    assert!(made.status.success(), "{made:?}");
    let key = folder.path().join("data/secret.key");
    let mode = std::fs::metadata(&key).expect("a key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::remove_file(&key).expect("removed");
    let text = refused(
        folder.path(),
        &["serve", "--data", "data", "--listen", "127.0.0.1:0"],
    );
    assert!(
        text.contains("secret.key") && text.contains("POSTRIDER_SECRET_KEY"),
        "{text}"
    );
}

#[test]
fn what_is_unknown_is_refused_with_the_nearest_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = refused(folder.path(), &["serve", "--lisen", "127.0.0.1:0"]);
    assert!(
        text.contains("--lisen") && text.contains("--listen"),
        "{text}"
    );
    let mut command = postrider(folder.path());
    let output = command
        .args(["config", "print"])
        .env("POSTRIDER_LISTN", "x")
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(
        text.contains("POSTRIDER_LISTN") && text.contains("POSTRIDER_LISTEN"),
        "{text}"
    );
    std::fs::write(
        folder.path().join("postrider.toml"),
        "lisen = \"127.0.0.1:1\"\n",
    )
    .expect("written");
    let text = refused(folder.path(), &["config", "print"]);
    assert!(text.contains("lisen") && text.contains("listen"), "{text}");
    std::fs::write(
        folder.path().join("postrider.toml"),
        "listen = \"nowhere\"\n",
    )
    .expect("written");
    let text = refused(folder.path(), &["config", "print"]);
    assert!(
        text.contains("listen") && text.contains("nowhere"),
        "{text}"
    );
}

#[test]
fn applications_are_made_listed_and_renewed_at_the_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let create = [
        "application",
        "create",
        "--data",
        "data",
        "--slug",
        "olio",
        "--json",
    ];
    let made = run(folder.path(), &create);
    let made: serde_json::Value = serde_json::from_slice(&made.stdout).expect("JSON");
    assert_eq!((&made["id"], &made["slug"]), (&1.into(), &"olio".into()));
    let text = refused(folder.path(), &create);
    assert!(text.contains("slug"), "{text}");
    let text = refused(
        folder.path(),
        &[
            "application",
            "create",
            "--data",
            "data",
            "--slug",
            "b",
            "--integration",
            "none",
        ],
    );
    assert!(text.contains("`none`"), "{text}");
    let listed = run(
        folder.path(),
        &["application", "list", "--data", "data", "--json"],
    );
    let text = String::from_utf8(listed.stdout).expect("text");
    assert!(text.contains("olio") && !text.contains("pra_"), "{text}");
    let rotated = run(
        folder.path(),
        &[
            "application",
            "rotate-token",
            "--data",
            "data",
            "--slug",
            "olio",
            "--json",
        ],
    );
    let rotated: serde_json::Value = serde_json::from_slice(&rotated.stdout).expect("JSON");
    assert_ne!(rotated["token"], made["token"]);
    let text = refused(
        folder.path(),
        &[
            "application",
            "rotate-token",
            "--data",
            "data",
            "--slug",
            "nobody",
        ],
    );
    assert!(text.contains("no application `nobody`"), "{text}");
}

#[test]
fn neither_tokens_nor_secrets_can_be_read_from_the_files() {
    let mut server = Server::start_embedded();
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", "https://example.com/");
    let secret = sub["signing_secret"].as_str().expect("a secret").to_owned();
    let token = server.token.clone();
    assert!(server.terminate());
    let mut looked_at = 0;
    for entry in std::fs::read_dir(server.folder()).expect("a folder") {
        let bytes = std::fs::read(entry.expect("an entry").path()).expect("readable");
        looked_at += bytes.len();
        for hidden in [
            &token,
            &secret,
            &token[4..].to_owned(),
            &secret[6..].to_owned(),
        ] {
            let found = bytes
                .windows(hidden.len())
                .any(|window| window == hidden.as_bytes());
            assert!(!found, "a token or secret stands in a file");
        }
    }
    assert!(looked_at > 10_000);
}
