//! Other people's fuzzer judges the API by the document that the binary prints, as each kind of caller.
//!
//! `POSTRIDER_FUZZ_EXAMPLES` says how many examples each route gets from it; `POSTRIDER_TEST_SEED` repeats a run.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::server::run;
use crate::harness::{Receiver, Server, base64};
use crate::verifier::python;

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/schemathesis");
/// Examples for each route, where nobody asks for more: few, as every change pays for them.
const EXAMPLES: u32 = 4;
/// Above so many examples the fuzzer also works through each bound of each parameter.
const EXAMPLES_THOROUGH_MIN: u32 = 20;
/// Stands in every record of the other integration, and nowhere else.
const MARKER: &str = "zq7otherszq7";
const SEED: u64 = 20_260_131;

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Application,
    NarrowApplication,
    Employee,
    Client,
    Liaison,
    RoleLess,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Application => "application",
            Kind::NarrowApplication => "narrow_application",
            Kind::Employee => "employee",
            Kind::Client => "client",
            Kind::Liaison => "liaison",
            Kind::RoleLess => "role_less",
        }
    }

    /// Whether the other integration is out of its reach.
    fn is_narrow(self) -> bool {
        !matches!(self, Kind::Application | Kind::Employee)
    }
}

/// A server with two integrations full of records, and a caller.
struct World {
    server: Server,
    receiver: Receiver,
    mine: i64,
    theirs: i64,
}

impl World {
    fn start() -> World {
        let mut server =
            Server::start_with(&["--trusted-proxies", "127.0.0.0/8", "--retry-schedule", "1h"]);
        let receiver = Receiver::start();
        let url = receiver.url("/");
        let mine = fill(&mut server, "mine", "mine", &url);
        let theirs = fill(&mut server, MARKER, &format!("{MARKER}@example.com"), &url);
        World {
            server,
            receiver,
            mine,
            theirs,
        }
    }

    /// A user with a session, with these roles in the integration `mine`.
    fn user(&mut self, name: &str, roles: &[&str]) -> (i64, String) {
        let new = json!({ "email": format!("{name}@postrider.example"), "name": name,
            "password": "correct horse battery staple" });
        let body = base64(new.to_string().as_bytes());
        let text = [("content-type", "text/plain")];
        let path = "/api/v1/clients/register";
        let client = self.server.client();
        let registered = client.send("POST", path, &text, body.as_bytes()).data();
        let id = registered["user"]["id"].as_i64().expect("an id");
        let set = json!({ "id": id, "roles": roles, "scoped_integrations": [self.mine] });
        self.server.call("users/roles_update", set).data();
        let token = registered["session"]["token"].as_str().expect("a token");
        (id, token.to_owned())
    }

    fn application(&mut self, slug: &str, integration: Option<i64>) -> (i64, String) {
        let new = json!({ "slug": slug, "integration_id": integration });
        let made = self.server.call("applications/create", new).data();
        let token = made["token"].as_str().expect("a token").to_owned();
        (made["id"].as_i64().expect("an id"), token)
    }

    /// Everything that only those may change who may change this integration.
    fn records(&mut self, integration: i64) -> Value {
        let within = json!({ "integration_id": integration });
        let services = [
            "webhook_out_subs",
            "orders",
            "order_stages",
            "payload_render_views",
            "webhook_jobs",
        ];
        let mut records: Vec<Value> = services
            .iter()
            .map(|service| {
                self.server
                    .call(&format!("{service}/index"), within.clone())
            })
            .map(|answer| answer.data())
            .collect();
        let shown = self
            .server
            .call("integrations/show", json!({ "id": integration }));
        records.push(shown.data());
        records.into()
    }

    /// What concerns all.
    fn common(&mut self) -> Value {
        let services = ["applications", "list_items", "services", "routes"];
        let records = services.map(|service| {
            let answer = self.server.call(&format!("{service}/index"), json!({}));
            answer.data()
        });
        json!(records)
    }
}

/// An integration with records of every kind, each of which holds `mark`.
fn fill(server: &mut Server, mark: &str, email: &str, url: &str) -> i64 {
    let id = server.integration(mark);
    let view = json!({ "integration_id": id, "key": format!("view_{mark}"), "name": mark,
        "template": format!("{{\"mark\": \"{mark}\"}}") });
    server.call("payload_render_views/create", view).data();
    server.subscribe(id, mark, &format!("{url}{mark}"));
    for number in 0..3 {
        let order = json!({ "integration_id": id, "external_order_id": format!("{mark}-{number}"),
            "order_notes": mark, "client": { "name": mark, "email": email },
            "metadata": { "mark": mark } });
        server.call("orders/create", order).data();
        let receipt = server.report(id, &format!("{mark}-{number}"), "scheduled");
        let job = &receipt["webhook_jobs"][0]["id"];
        server.wait_for_job(id, job, "delivered");
    }
    id
}

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name}: {text}"))
    })
}

fn fuzz(kind: Kind) {
    let mut world = World::start();
    let (own, own_token) = (1, world.server.token.clone());
    let (spare_application, _) = world.application("spare", None);
    let (spare_user, _) = world.user("spare", &["client"]);
    let (narrow, narrow_token) = world.application("narrow", Some(world.mine));
    let (user, session) = world.user(
        "caller",
        match kind {
            Kind::Employee => &["employee"],
            Kind::Client => &["client"],
            Kind::Liaison => &["liaison"],
            Kind::Application | Kind::NarrowApplication | Kind::RoleLess => &[],
        },
    );
    let token = match kind {
        Kind::Application => own_token.clone(),
        Kind::NarrowApplication => narrow_token,
        Kind::Employee | Kind::Client | Kind::Liaison | Kind::RoleLess => session,
    };
    let told = json!({
        "kind": kind.name(), "number": kind as u8, "narrow": kind.is_narrow(), "token": token,
        "operator": own_token, "url": format!("http://{}", world.server.address), "marker": MARKER,
        "mine": world.mine, "theirs": world.theirs, "receiver": world.receiver.url("/hook"),
        "applications": [own, narrow], "spare_application": spare_application,
        "user": user, "users": [user], "spare_user": spare_user,
    });
    let (mine, theirs) = (world.mine, world.theirs);
    let before = (world.records(theirs), world.records(mine), world.common());
    drive(&told, &world.server);
    let after = (world.records(theirs), world.records(mine), world.common());
    if kind.is_narrow() {
        assert_eq!(before.0, after.0, "records of another integration changed");
        assert_eq!(before.2, after.2, "what concerns all changed");
    } else {
        assert_ne!(before.1, after.1, "the fuzzer has never succeeded");
    }
    if kind == Kind::RoleLess {
        assert_eq!(before.1, after.1, "a user without a role changed records");
    }
    let crashes = json!({ "filters": { "kind": ["application_crash"] } });
    let crashes = world.server.call("notifications/index", crashes).data();
    assert_eq!(crashes, json!([]), "the API crashed");
}

/// Runs the fuzzer to its end.
fn drive(told: &Value, server: &Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let document = run(folder.path(), &["openapi"]).stdout;
    std::fs::write(folder.path().join("openapi.json"), document).expect("written");
    std::fs::write(folder.path().join("run.json"), told.to_string()).expect("written");
    let examples = number("POSTRIDER_FUZZ_EXAMPLES", EXAMPLES);
    let seed = number("POSTRIDER_TEST_SEED", SEED);
    let phases = if examples < EXAMPLES_THOROUGH_MIN {
        "examples,fuzzing"
    } else {
        "examples,coverage,fuzzing,stateful"
    };
    println!("POSTRIDER_TEST_SEED={seed} POSTRIDER_FUZZ_EXAMPLES={examples}");
    let judged = Command::new(python())
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(format!("{HERE}/schemathesis.toml"))
        .args([
            "run",
            "openapi.json",
            "--continue-on-failure",
            "--workers",
            "1",
            "--warnings",
            "off",
        ])
        .args(["--url", &format!("http://{}", server.address)])
        .args(["--phases", phases, "--seed", &seed.to_string()])
        .args(["--max-examples", &examples.to_string()])
        .env("SCHEMATHESIS_HOOKS", "drive")
        .env("PYTHONPATH", HERE)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("POSTRIDER_FUZZ_RUN", folder.path().join("run.json"))
        .current_dir(folder.path())
        .output()
        .expect("python runs");
    let text = String::from_utf8_lossy(&judged.stdout);
    println!("{text}{}", String::from_utf8_lossy(&judged.stderr));
    assert!(judged.status.success(), "the fuzzer found something");
}

#[test]
fn as_an_application_the_fuzzer_finds_nothing() {
    fuzz(Kind::Application);
}

#[test]
fn as_an_application_of_one_integration_the_fuzzer_finds_nothing() {
    fuzz(Kind::NarrowApplication);
}

#[test]
fn as_an_employee_the_fuzzer_finds_nothing() {
    fuzz(Kind::Employee);
}

#[test]
fn as_a_client_the_fuzzer_finds_nothing() {
    fuzz(Kind::Client);
}

#[test]
fn as_a_liaison_the_fuzzer_finds_nothing() {
    fuzz(Kind::Liaison);
}

#[test]
fn as_a_user_without_a_role_the_fuzzer_finds_nothing() {
    fuzz(Kind::RoleLess);
}
