//! The dashboard in a real Chromium: every page at phone and desktop width, light and dark, with hostile data in all of it; and the
//! way from a failed job to a delivered one.

use std::io::{BufRead, BufReader};
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::server::postrider;
use crate::harness::{Receiver, Server, wait_for};

/// Where Debian's package has it.
const CHROMIUM: &str = "/usr/bin/chromium";
/// What must stand on pages as it is, and never run.
const HOSTILE: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>'\"`${alert(3)}";

/// A view that is fine until an order says otherwise, and then is no JSON.
const ODD: &str = "{ \"note\": {{ order.order_notes }} {% if order.metadata.broken %} <img src=x onerror=alert(5)> {% endif %} }";

fn hostile_headers() -> Vec<String> {
    vec![
        format!("x-note: {HOSTILE}"),
        "content-type: text/html".to_owned(),
        "refresh: 0; url=javascript:alert(6)".to_owned(),
        "content-security-policy: default-src *".to_owned(),
    ]
}

/// A server with an employee, an integration, a receiver that is well and one that is not, and jobs of both.
struct Scene {
    server: Server,
    /// What the browser needs to know.
    known: Value,
    _receivers: [Receiver; 2],
}

/// A view that fails, a subscription that uses it, and a word that is markup.
fn make_odd(server: &mut Server, integration_id: &Value, receiver: &Receiver) {
    let view = json!({ "integration_id": integration_id, "key": "odd", "name": HOSTILE, "description": HOSTILE, "template": ODD });
    server.call("payload_render_views/create", view).data();
    let sub = json!({
        "integration_id": integration_id, "key": "viewed", "name": "Viewed", "version": "v3", "statuses": ["scheduled"],
        "callback_url": format!("http://{}/viewed?<script>alert(7)</script>", receiver.address), "payload_render_view": "odd"
    });
    server.call("webhook_out_subs/create", sub).data();
    let word = json!({ "key": "order_event", "slug": "order.hostile", "name": HOSTILE, "description": HOSTILE });
    server.call("list_items/create", word).data();
}

fn scene() -> Scene {
    let mut server = Server::start();
    let made = server.command(&[
        "user",
        "create",
        "--email",
        "boss@example.com",
        "--role",
        "employee",
        "--json",
    ]);
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    let token = server.token.clone();
    let with = |mut parameters: Value| {
        parameters["token"] = json!(token);
        parameters
    };
    let integration = server
        .call(
            "integrations/create",
            with(json!({ "key": "acme", "name": HOSTILE })),
        )
        .data();
    let other = server
        .call(
            "integrations/create",
            with(json!({ "key": "other", "name": "Other" })),
        )
        .data();
    let integration_id = &integration["id"];
    let client =
        json!({ "email": "partner@example.com", "password": "correct horse", "name": HOSTILE });
    let client = server.sensitive("clients/register", &client).data();
    let scoped = json!({ "id": client["user"]["id"], "roles": ["client"], "scoped_integrations": [other["id"]] });
    server.call("users/roles_update", with(scoped)).data();
    let well = Receiver::start();
    // Ill until it has refused three times.
    let ill = Receiver::scripted(|_, before| match before {
        0..3 => Reply::Full(400, hostile_headers(), HOSTILE.repeat(5)),
        _ => Reply::Status(200, Vec::new()),
    });
    for (key, name, receiver) in [("well", "Well", &well), ("ill", HOSTILE, &ill)] {
        let sub = json!({
            "integration_id": integration_id, "key": key, "name": name, "version": "v2",
            "callback_url": format!("http://{}/{key}", receiver.address), "statuses": ["scheduled"],
            "filter": format!("stage == 'scheduled' or stage == {}", json!(HOSTILE)),
            "headers": [{ "name": "x-to", "value": HOSTILE }],
            "retry_policy": { "schedule": ["1h"], "give_up_after": "1d" }
        });
        server.call("webhook_out_subs/create", with(sub)).data();
    }
    make_odd(&mut server, integration_id, &well);
    let stage = json!({
        "integration_id": integration_id, "external_order_id": format!("A-1{HOSTILE}"), "stage": "scheduled",
        "create_order": true, "order": { "address": { "street": HOSTILE }, "order_notes": HOSTILE, "metadata": { "broken": HOSTILE } }
    });
    server.call("order_stages/create", with(stage)).data();
    let failed = wait_for("the first failure", || {
        let asked =
            json!({ "integration_id": integration_id, "filters": { "state": ["retrying"] } });
        server.call("webhook_jobs/index", with(asked)).data()[0]["id"].as_i64()
    });
    let odd = json!({ "integration_id": integration_id, "filters": { "subscribers": ["viewed"] } });
    let odd = server.call("webhook_jobs/index", with(odd)).data()[0]["id"].clone();
    let shown = with(json!({ "integration_id": integration_id, "id": odd }));
    let shown = server.call("webhook_jobs/show", shown).data();
    assert!(shown["payload_render_view_failed"].is_string(), "{shown}");
    let known = json!({
        "odd_job": odd, "hostile": HOSTILE, "link_token": made["link_token"], "integration": integration_id, "other": other["id"], "failed_job": failed,
    });
    Scene {
        server,
        known,
        _receivers: [well, ill],
    }
}

/// Runs a script with a browser; it prints what is wrong, and ends well where nothing is.
pub(crate) fn browse(script: &str, url: &str, known: &Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Pictures of every page, for people's eyes: POSTRIDER_TEST_PICTURES names a folder that is kept.
    let pictures = std::env::var("POSTRIDER_TEST_PICTURES").unwrap_or_default();
    let read = Command::new(root.join("../../.venv/bin/python"))
        .arg(root.join("tests/it/dashboard").join(script))
        .args([url, CHROMIUM, &pictures, &known.to_string()])
        .output();
    let read = read.expect("scripts/test installs Python");
    let (out, error) = (
        String::from_utf8_lossy(&read.stdout),
        String::from_utf8_lossy(&read.stderr),
    );
    assert!(read.status.success(), "{out}\n{error}");
}

#[test]
fn every_page_is_sound_and_a_failed_job_is_found_understood_and_sent_again() {
    let scene = scene();
    let url = format!("http://{}", scene.server.address);
    browse("browse.py", &url, &scene.known);
}

/// Where the link leads that the server prints at its start.
fn printed_link(server: &mut Child) -> String {
    let stdout = server.stdout.take().expect("piped");
    let mut lines = BufReader::new(stdout).lines();
    let link = lines.find_map(|line| {
        let line = line.expect("text");
        let (_, link) = line.split_once(" at ")?;
        link.contains("/first_run?token=").then(|| link.to_owned())
    });
    link.expect("a link")
}

fn starting(folder: &Path, flags: &[&str]) -> Child {
    let serve = [
        "serve",
        "--data",
        "data",
        "--listen",
        "127.0.0.1:0",
        "--log",
        "warn",
    ];
    postrider(folder)
        .args(serve)
        .args(flags)
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts")
}

#[test]
fn the_link_of_a_new_server_names_its_public_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--public-url", "https://p.example.com/"];
    let mut server = starting(folder.path(), &flags);
    let link = printed_link(&mut server);
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    assert!(
        link.starts_with("https://p.example.com/first_run?token=prl_"),
        "{link}"
    );
}

#[test]
fn a_new_server_prints_a_link_that_makes_the_first_employee_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = starting(folder.path(), &[]);
    let link = printed_link(&mut server);
    let (url, _) = link.split_once("/first_run").expect("a path");
    let browsed = catch_unwind(|| browse("first_run.py", url, &json!({ "link": link })));
    server.kill().expect("it runs");
    server.wait().expect("it ends");
    if let Err(panic) = browsed {
        resume_unwind(panic);
    }
    // It was made for good.
    let server = Server::start_in(folder.path().to_owned(), &[]);
    let employees = server.command(&["user", "list", "--json"]);
    let employees: Value = serde_json::from_slice(&employees.stdout).expect("JSON");
    assert_eq!(employees.as_array().map(Vec::len), Some(1));
    assert_eq!(employees[0]["roles"], json!(["employee"]));
}
