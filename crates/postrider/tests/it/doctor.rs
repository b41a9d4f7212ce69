//! `postrider doctor` and `postrider migrate`: what is wrong is found, told with its remedy, and left as it is.

use std::path::Path;

use serde_json::Value;
use testkit::TestPostgres;

use crate::harness::server::postrider;
use crate::harness::{Receiver, Server, base64};

/// Runs a command with this in its environment.
fn run(folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> std::process::Output {
    let mut command = postrider(folder);
    command.args(arguments).envs(environment.iter().copied());
    command.output().expect("it runs")
}

/// What the doctor finds, and whether nothing has failed.
fn doctor(folder: &Path, environment: &[(&str, &str)]) -> (Vec<Value>, bool) {
    let output = run(folder, &["doctor", "--json"], environment);
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    let found = found.as_array().expect("a list").clone();
    let has_failed = found.iter().any(|finding| finding["state"] == "failed");
    assert_eq!(output.status.success(), !has_failed, "{found:?}");
    for finding in &found {
        assert_eq!(
            finding["state"] == "ok",
            finding["remedy"].is_null(),
            "{finding}"
        );
    }
    (found, !has_failed)
}

/// The findings about something, as `state: found`.
fn about(found: &[Value], name: &str) -> String {
    let of = found.iter().filter(|finding| finding["about"] == name);
    let told = of.map(|finding| format!("{}: {}", finding["state"], finding["found"]));
    told.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_new_machine_and_a_running_server_are_found_well_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = ("POSTRIDER_LISTEN", "127.0.0.1:0");
    let (found, is_well) = doctor(folder.path(), &[free]);
    assert!(is_well, "{found:?}");
    assert!(
        about(&found, "store").contains("no database yet"),
        "{found:?}"
    );
    assert!(about(&found, "mail").contains("reach nobody"), "{found:?}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .expect("a folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");

    let mut server = Server::start_embedded();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    server.subscribe(integration, "crm", &receiver.url("/"));
    let address = server.address.to_string();
    let data = server.folder();
    let data = data.to_str().expect("UTF-8");
    let of_server = [("POSTRIDER_DATA", data), ("POSTRIDER_LISTEN", &address)];
    let allowed = [&of_server[..], &[("POSTRIDER_EGRESS_ALLOW", "127.0.0.0/8")]].concat();
    let (found, is_well) = doctor(folder.path(), &allowed);
    assert!(is_well, "{found:?}");
    let expected = [
        ("address", "a server answers"),
        ("store", "a server runs on it"),
        ("store", "changes can be written"),
        ("secret key", "it opens what was sealed"),
        ("callbacks", "1 of 1 hosts"),
        ("disk", "an fsync takes"),
    ];
    for (name, words) in expected {
        assert!(about(&found, name).contains(words), "{name}: {found:?}");
    }
    // Without the exception, the receiver on this machine is refused, as it would be when it is delivered to.
    let (found, is_well) = doctor(folder.path(), &of_server);
    assert!(
        is_well && about(&found, "callbacks").contains("`crm`"),
        "{found:?}"
    );
    let said = run(folder.path(), &["doctor"], &of_server);
    let text = String::from_utf8(said.stdout).expect("text");
    assert!(text.contains("→ correct callback_url"), "{text}");
}

#[test]
fn what_would_keep_a_server_from_working_has_failed() {
    let server = {
        let mut server = Server::start_embedded();
        let integration = server.integration("a");
        server.subscribe(integration, "crm", "https://example.com/");
        server
    };
    let folder = tempfile::tempdir().expect("a folder");
    let data = server.folder();
    let data = ("POSTRIDER_DATA", data.to_str().expect("UTF-8"));
    let free = ("POSTRIDER_LISTEN", "127.0.0.1:0");
    let other = base64(&[9; 32]);
    // Somebody who never answers what was asked.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let taken = silent.local_addr().expect("bound").to_string();
    std::fs::write(folder.path().join("file"), "x").expect("written");
    let cases = [
        (
            vec![("POSTRIDER_LISTN", "x")],
            "configuration",
            "POSTRIDER_LISTEN",
        ),
        (
            vec![data, free, ("POSTRIDER_SECRET_KEY", &other)],
            "secret key",
            "does not open",
        ),
        (
            vec![data, free, ("POSTRIDER_MAIL", "smtp://127.0.0.1:1")],
            "mail",
            "cannot be used",
        ),
        (
            vec![free, ("POSTRIDER_DATA", "file/below")],
            "disk",
            "cannot be written",
        ),
        (
            vec![("POSTRIDER_LISTEN", "192.0.2.1:80")],
            "address",
            "cannot be listened on",
        ),
        (
            vec![("POSTRIDER_LISTEN", &taken)],
            "address",
            "another program listens",
        ),
    ];
    for (environment, name, words) in cases {
        let (found, is_well) = doctor(folder.path(), &environment);
        let told = about(&found, name);
        assert!(
            !is_well && told.contains("failed") && told.contains(words),
            "{name}: {found:?}"
        );
    }
    drop(silent);
}

#[test]
fn a_database_is_looked_at_and_brought_up_to_date() {
    let database = TestPostgres::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (url, key) = (database.url(), base64(&[7; 32]));
    let environment = [
        ("POSTRIDER_LISTEN", "127.0.0.1:0"),
        ("POSTRIDER_DATABASE_URL", url.as_str()),
        ("POSTRIDER_SECRET_KEY", key.as_str()),
    ];
    let (found, is_well) = doctor(folder.path(), &environment);
    assert!(
        is_well && about(&found, "store").contains("no schema yet"),
        "{found:?}"
    );
    for words in ["is made, in version", "is up to date"] {
        let migrated = run(folder.path(), &["migrate"], &environment);
        let said = String::from_utf8(migrated.stdout).expect("text");
        assert!(migrated.status.success() && said.contains(words), "{said}");
    }
    let (found, is_well) = doctor(folder.path(), &environment);
    assert!(
        is_well && about(&found, "store").contains("0 nodes run on it"),
        "{found:?}"
    );
    assert!(
        about(&found, "clock").contains("as the database's"),
        "{found:?}"
    );
    let made = ["application", "create", "--slug", "a", "--json"];
    assert!(run(folder.path(), &made, &environment).status.success());
    let (found, is_well) = doctor(folder.path(), &environment);
    assert!(
        is_well && about(&found, "store").contains("changes can be written"),
        "{found:?}"
    );
    let nowhere = [
        environment[0],
        environment[2],
        (
            "POSTRIDER_DATABASE_URL",
            "postgres://a:secret@127.0.0.1:1/x",
        ),
    ];
    let (found, is_well) = doctor(folder.path(), &nowhere);
    let told = about(&found, "store");
    assert!(
        !is_well && told.contains("cannot be reached") && !told.contains("secret"),
        "{found:?}"
    );

    for words in ["is made, in version", "is up to date"] {
        let migrated = run(folder.path(), &["migrate", "--data", "data"], &[]);
        let said = String::from_utf8(migrated.stdout).expect("text");
        assert!(migrated.status.success() && said.contains(words), "{said}");
    }
}
