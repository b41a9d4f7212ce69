//! The example of every route's page works when it is sent.

use serde_json::{Value, json};

use crate::harness::Server;
use crate::harness::server::run;

/// Sent before all others: they make what the others find there, or would make in another way.
const FIRST: [&str; 2] = ["clients/register", "orders/create"];
/// Sent after all others, in this order: they take away what the others use.
const LAST: [&str; 6] = [
    "webhook_jobs/cancel",
    "webhook_out_subs/delete",
    "applications/update",
    "sessions/delete",
    "routes/update",
    "services/update",
];

/// The routes with their examples, in the order in which they are sent.
fn examples() -> Vec<(String, String)> {
    let printed = run(std::path::Path::new("."), &["openapi"]);
    let document: Value = serde_json::from_slice(&printed.stdout).expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let mut examples: Vec<(String, String)> = Vec::new();
    for (path, methods) in paths {
        let operation = methods.as_object().expect("methods").values().next();
        let content = &operation.expect("a method")["requestBody"]["content"];
        let (_, content) = content
            .as_object()
            .expect("content")
            .iter()
            .next()
            .expect("a type");
        let example = match &content["example"] {
            Value::String(base64) => base64.clone(),
            json => json.to_string(),
        };
        let route = path.trim_start_matches("/api/v1/").to_owned();
        examples.push((route, example));
    }
    examples.sort_by_key(|(route, _)| {
        let last = LAST.iter().position(|last| last == route);
        let is_first = FIRST.contains(&route.as_str());
        (last.map_or(0, |at| at + 1), !is_first)
    });
    examples
}

/// Makes what the examples name: every record that has an id there is the first of its kind.
fn world(server: &mut Server) {
    let integration = server.integration("first");
    let sub = server.subscribe(integration, "first", "http://127.0.0.1:1/");
    assert_eq!((integration, &sub["id"]), (1, &json!(1)));
    server.report(integration, "first", "scheduled");
    let view = json!({
        "integration_id": integration, "key": "first", "name": "First", "template": "{}"
    });
    server.call("payload_render_views/create", view).data();
    server
        .call("applications/create", json!({ "slug": "second" }))
        .data();
    for name in ["first", "second", "third"] {
        let user = json!({ "email": format!("{name}@example.com") });
        server.call("users/create", user).data();
    }
    let notification = "insert into notifications (kind, about, message, times, created_at, updated_at) \
                        values ('mail_failed', 'first', 'First.', 1, 0, 0)";
    server.execute(notification);
}

/// The token of a session, of somebody who has a role or has not.
fn session(server: &mut Server, email: &str) -> String {
    let ask = json!({ "email": email }).to_string();
    server.send("sessions/request_link", ask.as_bytes()).data();
    let link = json!({ "link_token": server.mailed_link() });
    let answer = server.sensitive("sessions/create", &link).json();
    let token = [&answer["data"]["token"], &answer["session"]["token"]];
    let token = token.into_iter().find_map(Value::as_str);
    token.expect("a token").to_owned()
}

#[test]
fn every_example_works_when_it_is_sent() {
    let mut server = Server::start();
    world(&mut server);
    let examples = examples();
    assert!(examples.len() > 50);
    let application = server.token.clone();
    // One for all: there are ten tries a minute.
    let mut anns = None;
    for (route, example) in examples {
        let token = match route.as_str() {
            "users/client_register" => session(&mut server, "role-less@example.com"),
            _ if example.contains("prs_…") => {
                let begin = || session(&mut server, "ann@example.com");
                anns.get_or_insert_with(begin).clone()
            }
            _ => String::new(),
        };
        let is_sensitive = !example.starts_with('{');
        let body = example
            .replace("pra_…", &application)
            .replace("prs_…", &token);
        let answer = if is_sensitive {
            let plain = [("content-type", "text/plain")];
            let path = format!("/api/v1/{route}");
            server.client().send("POST", &path, &plain, body.as_bytes())
        } else {
            server.send(&route, body.as_bytes())
        };
        assert_eq!(
            answer.status(),
            "action-successful",
            "{route} {body}: {}",
            answer.text
        );
        // Routes that take many say of each what became of it.
        if let Some(receipts) = answer
            .data()
            .as_array()
            .filter(|_| route.ends_with("_many"))
        {
            for receipt in receipts {
                assert_eq!(receipt["status"], "action-successful", "{route}: {receipt}");
            }
        }
        server.forget_mails();
    }
}
