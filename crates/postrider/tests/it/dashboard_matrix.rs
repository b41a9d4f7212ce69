//! Who may see and send which page: the decision for every page and form and every kind of visitor, taken here a second time.

mod table;
mod visitors;

use std::cell::Cell;

use serde_json::json;

use self::table::{EVERYBODY, MISSING, OVER, TABLE};
use self::visitors::{Outcome, Place, Visitor, visitors};
use crate::harness::{Server, wait_for};

/// What the places of paths stand for.
struct Fixture {
    integration: i64,
    order: i64,
    job: i64,
    recovery: i64,
    user: i64,
    application: i64,
    asset: String,
    /// Subscriptions that were made for forms.
    made: Cell<u32>,
}

impl Fixture {
    fn new(server: &mut Server) -> Fixture {
        let integration = server.integration("acme");
        server.subscribe(integration, "crm", "http://127.0.0.1:9/crm");
        let stage = server.report(integration, "A-1", "scheduled");
        let here = |mut asked: serde_json::Value| {
            asked["integration_id"] = json!(integration);
            asked
        };
        let job = wait_for("the job", || {
            let jobs = server.call("webhook_jobs/index", here(json!({}))).data();
            jobs[0]["id"].as_i64()
        });
        let recovery = server
            .call("webhook_jobs/retry_many", here(json!({})))
            .data();
        let user = server
            .call("users/create", json!({ "email": "spare@example.com" }))
            .data();
        let application = server
            .call("applications/create", json!({ "slug": "spare" }))
            .data();
        let page = server.client().send("GET", "/sign_in", &[], b"").text;
        let (_, asset) = page.split_once("/assets/").expect("an asset");
        let (asset, _) = asset.split_once('"').expect("its end");
        let id = |record: &serde_json::Value| record["id"].as_i64().expect("an id");
        Fixture {
            integration,
            order: stage["order_id"].as_i64().expect("an order"),
            job,
            recovery: id(&recovery),
            user: id(&user),
            application: id(&application),
            asset: asset.to_owned(),
            made: Cell::new(0),
        }
    }

    /// A path with real records in it.
    fn filled(&self, server: &mut Server, method: &str, path: &str) -> String {
        let id = match path {
            _ if path.contains("/webhook_jobs/recoveries/") => self.recovery,
            _ if path.contains("/webhook_jobs/") => self.job,
            _ if path.contains("/orders/") => self.order,
            // Each form meets a subscription of its own, since some delete it.
            _ if path.contains("/webhook_out_subs/") && method == "POST" => {
                self.made.set(self.made.get() + 1);
                let key = format!("own-{}", self.made.get());
                let sub = server.subscribe(self.integration, &key, "http://127.0.0.1:9/own");
                sub["id"].as_i64().expect("an id")
            }
            _ if path.starts_with("/users/") => self.user,
            _ if path.starts_with("/applications/") => self.application,
            _ => 1,
        };
        path.replace("{integration_id}", &self.integration.to_string())
            .replace("{id}", &id.to_string())
            .replace("{key}", "order_status")
            .replace("{service}/{action}", "orders/create")
            .replace("{*rest}", "nothing")
            .replace("{name}", &self.asset)
    }
}

/// What the visitor is to meet.
fn expected(visitor: &Visitor, path: &str, letters: &str) -> Outcome {
    match allowed(visitor, path, letters) {
        Outcome::In if letters.contains(OVER) => Outcome::Missing,
        // Whoever signs out is led to where one signs in.
        Outcome::In if path == "/sign_out" => Outcome::SignIn,
        outcome => outcome,
    }
}

fn allowed(visitor: &Visitor, path: &str, letters: &str) -> Outcome {
    let is_inside = path.starts_with("/integrations/{integration_id}");
    match letters {
        MISSING => return Outcome::Missing,
        EVERYBODY if visitor.place == Place::Dashboard => return Outcome::In,
        _ => {}
    }
    match visitor.place {
        // Its first page is that of the integration.
        Place::Portal if (is_inside || path == "/") && letters.contains('p') => Outcome::In,
        Place::Portal => Outcome::Missing,
        Place::Dashboard => match visitor.letter {
            'o' => Outcome::SignIn,
            'r' => Outcome::Register,
            's' if is_inside => Outcome::Missing,
            's' if letters.contains('c') => Outcome::In,
            letter if letters.contains(letter) => Outcome::In,
            _ => Outcome::Forbidden,
        },
    }
}

#[test]
fn every_page_and_form_is_open_to_exactly_those_who_may() {
    let mut server = Server::start();
    let fixture = Fixture::new(&mut server);
    let visitors = visitors(&mut server, fixture.integration);
    let mut pages = dashboard::pages();
    // Signing out ends what the others need.
    pages.sort_by_key(|page| page.path == "/sign_out");
    let mut found = Vec::new();
    for page in &pages {
        let method = page.method.as_str();
        let line = TABLE
            .iter()
            .find(|(known, path, _)| *known == method && *path == page.path);
        let Some((_, _, letters)) = line else {
            panic!("nobody has decided who may {method} {}", page.path);
        };
        for visitor in &visitors {
            let path = fixture.filled(&mut server, method, &page.path);
            let answer = visitor.ask(&mut server, method, &path);
            let (met, is_to_meet) = (Outcome::of(&answer), expected(visitor, &page.path, letters));
            if met != is_to_meet {
                let who = visitor.who;
                found.push(format!(
                    "{method} {path} by {who}: {met:?}, not {is_to_meet:?}"
                ));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    for (method, path, _) in TABLE {
        let is_there = pages
            .iter()
            .any(|page| page.method == *method && page.path == *path);
        assert!(is_there, "{method} {path} is no page any more");
    }
}

/// What belongs to another integration is not there, whoever looks from where they may.
#[test]
fn records_of_another_integration_are_not_there() {
    let mut server = Server::start();
    let fixture = Fixture::new(&mut server);
    let other = server.integration("other");
    let visitors = visitors(&mut server, other);
    for page in dashboard::pages() {
        let is_record =
            page.path.starts_with("/integrations/{integration_id}/") && page.path.ends_with("{id}");
        if !is_record || page.method != "GET" {
            continue;
        }
        let elsewhere = page.path.replace("{integration_id}", &other.to_string());
        for visitor in visitors
            .iter()
            .filter(|visitor| "cep".contains(visitor.letter))
        {
            let path = fixture.filled(&mut server, "GET", &elsewhere);
            let answer = visitor.ask(&mut server, "GET", &path);
            assert_eq!(
                Outcome::of(&answer),
                Outcome::Missing,
                "{path} by {}",
                visitor.who
            );
        }
    }
}
