//! The deployments in `deploy/`, held against the program: what they name must be there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::server::run;
use crate::harness::{Receiver, Server};

/// Reads YAML with somebody else's parser.
const READ_YAML: &str =
    "import json, sys, yaml\nprint(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy")
}

fn files_in(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_in(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).expect("UTF-8");
            found.push((path, text));
        }
    }
}

fn files() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files_in(&root(), &mut found);
    assert!(found.len() > 10, "the deployments were not found");
    found
}

/// The documents of a YAML file.
fn yaml(path: &Path) -> Vec<Value> {
    let read = Command::new(crate::verifier::python())
        .args(["-c", READ_YAML])
        .arg(path)
        .output()
        .expect("python runs");
    assert!(read.status.success(), "{}: {read:?}", path.display());
    serde_json::from_slice(&read.stdout).expect("JSON")
}

/// What a command says of itself.
fn help(words: &[&str]) -> String {
    let arguments = [words, &["--help"]].concat();
    let output = run(&std::env::temp_dir(), &arguments);
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout).expect("text")
}

/// The same in one line: where it is broken depends on how clap was built.
fn help_in_one_line(words: &[&str]) -> String {
    let text = help(words);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words that begin so, up to the first sign that a name has not.
fn names<'t>(text: &'t str, start: &str, is_sign: fn(char) -> bool) -> BTreeSet<&'t str> {
    let found = text.match_indices(start);
    found
        .map(|(at, _)| {
            let rest = &text[at..];
            rest.find(|c| !is_sign(c)).map_or(rest, |end| &rest[..end])
        })
        .collect()
}

#[test]
fn every_variable_that_is_set_is_a_setting() {
    let settings = help_in_one_line(&["serve"]);
    let mut set = BTreeSet::new();
    let files = files();
    for (_, text) in &files {
        set.extend(names(text, "POSTRIDER_", |c| {
            c == '_' || c.is_ascii_uppercase()
        }));
    }
    assert!(set.len() > 5, "{set:?}");
    for name in set {
        assert!(settings.contains(&format!("[env: {name}]")), "{name}");
    }
}

#[test]
fn every_command_that_is_given_has_its_flags() {
    let commands = help(&[]);
    let mut tried = 0;
    for (path, text) in files() {
        for line in text.lines() {
            let Some((_, given)) = line
                .split_once("/postrider ")
                .or(line.split_once("postrider postrider "))
            else {
                continue;
            };
            let words: Vec<&str> = given.split_whitespace().collect();
            let command: Vec<&str> = words
                .iter()
                .take_while(|word| !word.starts_with('-'))
                .copied()
                .collect();
            if !command
                .first()
                .is_some_and(|word| commands.contains(&format!("\n  {word} ")))
            {
                continue;
            }
            tried += 1;
            let known = help(&command);
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                assert!(
                    known.contains(&format!("{flag} ")),
                    "{}: {flag} of {command:?}",
                    path.display()
                );
            }
        }
    }
    assert!(tried >= 3, "{tried}");
}

#[test]
fn the_configuration_file_is_understood() {
    let file = root().join("systemd/postrider.toml");
    let file = file.to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let commented = std::fs::read_to_string(file).expect("a file");
    // What is proposed in comments counts as well.
    let all = commented.lines().map(|line| {
        line.strip_prefix("# ")
            .filter(|rest| rest.contains(" = ") || rest.starts_with('['))
            .unwrap_or(line)
    });
    let all = all.collect::<Vec<_>>().join("\n");
    std::fs::write(folder.path().join("all.toml"), all).expect("written");
    for file in [file, "all.toml"] {
        let printed = run(folder.path(), &["config", "print", "--config", file]);
        assert!(printed.status.success(), "{printed:?}");
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        println!("SKIPPED: there is no systemd-analyze");
        return;
    };
    assert!(version.status.success(), "{version:?}");
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files() {
        let Some(kind) = path
            .extension()
            .filter(|kind| *kind == "service" || *kind == "timer")
        else {
            continue;
        };
        // The program is where it was just built, and its user is there.
        let built = env!("CARGO_BIN_EXE_postrider");
        let text = text
            .replace("/usr/local/bin/postrider", built)
            .replace("User=postrider", "User=daemon")
            .replace("Group=postrider", "Group=daemon")
            .replace(
                "Documentation=file:///usr/share/doc/postrider/operate.md\n",
                "",
            );
        let unit = folder.path().join(path.file_name().expect("a name"));
        std::fs::write(&unit, text).expect("written");
        let verified = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&unit)
            .output();
        let verified = verified.expect("it runs");
        let said = String::from_utf8_lossy(&verified.stderr);
        let about_us = said.lines().filter(|line| line.contains("postrider"));
        assert_eq!(
            about_us.collect::<Vec<_>>(),
            Vec::<&str>::new(),
            "{}",
            path.display()
        );
        if kind == "service" {
            let judged = Command::new("systemd-analyze")
                .args(["security", "--offline=true", "--threshold=20"])
                .arg(&unit)
                .output()
                .expect("it runs");
            assert!(judged.status.success(), "{judged:?}");
        }
    }
}

#[test]
fn probes_ask_what_the_server_answers() {
    let mut server = Server::start();
    let mut asked = BTreeSet::new();
    for (path, text) in files() {
        if path.extension().is_some_and(|kind| kind == "yaml") {
            assert!(!yaml(&path).is_empty(), "{}", path.display());
        }
        for line in text.lines().map(str::trim) {
            let probe = line
                .strip_prefix("path: /")
                .or(line.strip_prefix("health_uri /"));
            asked.extend(probe.map(|probe| format!("/{probe}")));
        }
    }
    let asked: Vec<String> = asked.into_iter().collect();
    assert_eq!(asked, ["/healthz", "/readyz"]);
    for path in asked {
        let answer = server.client().send("GET", &path, &[], b"");
        assert_eq!(answer.code, 200, "{path}");
    }
}

#[test]
fn the_manifests_fit_each_other() {
    let folder = root().join("kubernetes");
    let kustomization = yaml(&folder.join("kustomization.yaml")).remove(0);
    let listed = kustomization["resources"].as_array().expect("resources");
    let mut listed: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
    listed.extend(["kustomization.yaml", "secret.example.yaml"]);
    listed.sort_unstable();
    let mut there: Vec<String> = std::fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| name.ends_with(".yaml") && name != "secret.yaml")
        .collect();
    there.sort();
    assert_eq!(listed, there);
    let secret = yaml(&folder.join("secret.example.yaml")).remove(0);
    let pod = yaml(&folder.join("deployment.yaml")).remove(0)["spec"]["template"]["spec"].clone();
    let container = &pod["containers"][0];
    let mut keys: Vec<&Value> = pod["volumes"][0]["secret"]["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| &item["key"])
        .collect();
    for variable in container["env"].as_array().expect("variables") {
        let from = &variable["valueFrom"]["secretKeyRef"];
        if from.is_object() {
            assert_eq!(from["name"], secret["metadata"]["name"]);
            keys.push(&from["key"]);
        }
    }
    assert_eq!(keys.len(), 3);
    for key in keys {
        assert!(
            secret["stringData"][key.as_str().expect("a key")].is_string(),
            "{key}"
        );
    }
    let service = yaml(&folder.join("service.yaml")).remove(0);
    assert_eq!(
        service["spec"]["ports"][0]["targetPort"],
        container["ports"][0]["name"]
    );
    // Time enough for what waits before the end, and for the grace.
    let waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        .as_u64()
        .expect("seconds");
    let grace = pod["terminationGracePeriodSeconds"]
        .as_u64()
        .expect("seconds");
    assert!(
        help_in_one_line(&["serve"]).contains("[default: 30s] [env: POSTRIDER_SHUTDOWN_GRACE]")
    );
    assert!(grace > waits + 30, "{grace}");
}

#[test]
fn alerts_ask_for_metrics_that_there_are() {
    let mut server = Server::start();
    let receiver = Receiver::scripted(|request, _| {
        let status = if request.path == "/bad" { 422 } else { 200 };
        Reply::Status(status, Vec::new())
    });
    let integration = server.integration("a");
    server.subscribe(integration, "good", &receiver.url("/good"));
    let policy = json!({ "schedule": ["100ms"], "give_up_after": "1s" });
    let bad = json!({ "integration_id": integration, "key": "bad", "name": "bad", "callback_url": receiver.url("/bad"),
        "statuses": ["*"], "version": "v3", "retry_policy": policy });
    let bad = server.call("webhook_out_subs/create", bad).data();
    let receipt = server.report(integration, "A-1", "scheduled");
    for job in receipt["webhook_jobs"].as_array().expect("jobs") {
        let is_bad = job["webhook_out_sub_id"] == bad["id"];
        server.wait_for_job(
            integration,
            &job["id"],
            if is_bad { "exhausted" } else { "delivered" },
        );
    }
    let scraped = server.client().send("GET", "/metrics", &[], b"").text;
    let is_sign = |c: char| c == '_' || c.is_ascii_lowercase();
    let rules = yaml(&root().join("prometheus/alerts.yaml")).remove(0);
    let rules = rules["groups"][0]["rules"]
        .as_array()
        .expect("rules")
        .clone();
    let mut asked = 0;
    for rule in &rules {
        let expression = rule["expr"].as_str().expect("an expression");
        let texts = [
            expression,
            rule["annotations"]["description"]
                .as_str()
                .expect("a description"),
        ];
        for name in texts
            .iter()
            .flat_map(|text| names(text, "postrider_", is_sign))
        {
            let is_there = scraped.contains(&format!("\n{name}{{"))
                || scraped.contains(&format!("\n{name} "))
                || scraped.contains(&format!("\n{name}_bucket{{"));
            assert!(is_there, "{}: {name}", rule["alert"]);
            asked += 1;
        }
        // Labels, but the one that Prometheus itself gives.
        for (at, _) in expression.match_indices('{') {
            let inside = &expression[at + 1..];
            let inside = &inside[..inside.find('}').expect("an end")];
            let label = inside.replace("!=", "=");
            assert!(
                label.starts_with("job=") || scraped.contains(&label),
                "{}: {label}",
                rule["alert"]
            );
        }
    }
    assert!(asked > 10, "{asked}");
}
