//! The statuses that need people, mails, broken records or switched-off routes, provoked from outside on the seed's
//! own route. The others are in `contract`, `seed` and `unavailable`.

use serde_json::{Value, json};

use crate::harness::{Answer, Server, wait_for};

/// The seed's route.
const ROUTE: &str = "webhook_out_subs/create";

fn parameters(token: &str, integration: i64, key: &str) -> Value {
    json!({
        "token": token, "integration_id": integration, "key": key, "name": key,
        "callback_url": "https://example.com/", "version": "v3",
    })
}

/// A client with a session, scoped to the integration.
fn client(server: &mut Server, integration: i64) -> String {
    let invite = json!({ "id": integration, "email": "ann@example.com" });
    server.call("integrations/invitation_email", invite).data();
    let link = json!({ "link_token": server.mailed_link() });
    let session = server.sensitive("sessions/create", &link).data();
    session["token"].as_str().expect("a token").to_owned()
}

fn refused(answer: &Answer, code: u16, status: &str) {
    assert_eq!(
        (answer.code, answer.status().as_str()),
        (code, status),
        "{}",
        answer.text
    );
}

#[test]
fn both_kinds_of_token_are_good_for_the_seeds_route() {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let session = client(&mut server, integration);
    let application = server.token.clone();
    for (token, key) in [(application, "a"), (session, "b")] {
        server
            .call(ROUTE, parameters(&token, integration, key))
            .data();
    }
}

#[test]
fn an_old_or_idle_session_is_expired() {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let session = client(&mut server, integration);
    let now = server.numbers("select created_at from sessions")[0];
    // Nobody waits for days: the session's record is made older instead, while no server has it in mind.
    for (column, hours) in [("created_at", 7 * 24), ("last_used_at", 72)] {
        for (seconds, code) in [(hours * 3_600 - 60, 200), (hours * 3_600 + 60, 401)] {
            assert!(server.terminate());
            let older = now - seconds * 1_000_000;
            server.execute(&format!(
                "update sessions set created_at = {now}, last_used_at = {now}"
            ));
            server.execute(&format!("update sessions set {column} = {older}"));
            server.restart();
            let answer = server.call(ROUTE, parameters(&session, integration, column));
            assert_eq!(answer.code, code, "{column} {seconds}: {}", answer.text);
            if code == 401 {
                refused(&answer, 401, "session-expired");
            }
        }
    }
}

#[test]
fn a_user_without_a_role_is_told_where_to_register() {
    let mut server = Server::start_with(&["--registration-url", "https://example.com/join"]);
    let integration = server.integration("acme");
    let ask = json!({ "email": "new@example.com" }).to_string();
    let asked = server.send("sessions/request_link", ask.as_bytes());
    asked.data();
    let link = json!({ "link_token": server.mailed_link() });
    let signed_in = server.sensitive("sessions/create", &link);
    refused(&signed_in, 401, "client-required");
    let token = signed_in.json()["session"]["token"].clone();
    let token = token.as_str().expect("a token").to_owned();
    let answer = server.call(ROUTE, parameters(&token, integration, "a"));
    refused(&answer, 401, "client-required");
    assert_eq!(answer.json()["session"]["token"], token);
    let message = answer.json()["message"].as_str().expect("text").to_owned();
    assert!(
        message.contains("/api/v1/users/client_register"),
        "{message}"
    );
    assert!(message.contains("https://example.com/join"), "{message}");
    let register = json!({ "token": token, "name": "New" });
    server.call("users/client_register", register).data();
    // Now a client, though of no integration yet: what others have does not exist.
    let answer = server.call(ROUTE, parameters(&token, integration, "a"));
    refused(&answer, 400, "invalid-param");
    assert_eq!(answer.attrs(), ["integration_id"]);
}

#[test]
fn a_notice_that_cannot_be_mailed_leaves_a_notification_and_nothing_else() {
    // Nobody listens there.
    let mut server = Server::start_with(&["--mail", "smtp://127.0.0.1:1"]);
    let integration = server.integration("acme");
    let token = server.token.clone();
    let mut sub = parameters(&token, integration, "a");
    sub["notify"] = json!(true);
    sub["notification_emails"] = json!("ops@example.com");
    let answer = server.call(ROUTE, sub);
    refused(&answer, 500, "mandrill-email-failed");
    let listed = server.call(
        "webhook_out_subs/index",
        json!({ "integration_id": integration }),
    );
    assert_eq!(listed.data(), json!([]));
    let notifications = server.call("notifications/index", json!({})).data();
    assert_eq!(notifications[0]["kind"], "mail_failed");
    assert_eq!(
        notifications[0]["request_id"],
        answer.header("x-request-id").expect("an id")
    );
}

#[test]
fn a_crash_is_notified_under_its_request() {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let token = server.token.clone();
    let made = server
        .call(ROUTE, parameters(&token, integration, "a"))
        .data();
    let broken = "update webhook_out_subs set statuses = 'no JSON'";
    server.execute(broken);
    let show = json!({ "integration_id": integration, "id": made["id"] });
    let answer = server.call("webhook_out_subs/show", show);
    refused(&answer, 500, "application-crash");
    assert!(
        !answer.text.contains("JSON"),
        "no detail leaks: {}",
        answer.text
    );
    let id = answer.header("x-request-id").expect("an id").to_owned();
    let notification = wait_for("the notification", || {
        let all = server.call("notifications/index", json!({})).data();
        all.as_array().expect("a list").first().cloned()
    });
    assert_eq!(notification["kind"], "application_crash");
    assert_eq!(notification["about"], "/api/v1/webhook_out_subs/show");
    assert_eq!(notification["request_id"], id);
    let read = json!({ "id": notification["id"], "read": true });
    assert!(server.call("notifications/update", read).data()["read_at"].is_string());
}

#[test]
fn routes_and_services_are_switched_off_and_on_at_run_time() {
    let mut server = Server::start();
    let integration = server.integration("acme");
    let token = server.token.clone();
    let call = |server: &mut Server| server.call(ROUTE, parameters(&token, integration, "a"));
    let find = |server: &mut Server, list: &str, filters: Value| -> Value {
        let found = server.call(
            list,
            json!({ "filters": filters, "search": {
            "term": if list == "routes/index" { "create" } else { "webhook_out_subs" } } }),
        );
        found.data()[0]["id"].clone()
    };
    // By a route: at once.
    let id = find(
        &mut server,
        "routes/index",
        json!({ "service": "webhook_out_subs" }),
    );
    let switch = |id: &Value, on: bool| json!({ "id": id, "deployed": on });
    server.call("routes/update", switch(&id, false)).data();
    refused(&call(&mut server), 500, "route-not-found");
    server.call("routes/update", switch(&id, true)).data();
    call(&mut server).data();
    let id = find(&mut server, "services/index", json!({}));
    server.call("services/update", switch(&id, false)).data();
    refused(&call(&mut server), 500, "service-not-found");
    server.call("services/update", switch(&id, true)).data();
    // At the command line: within a second, also what the API itself could not undo.
    for (service, action, status) in [
        ("routes", None, "service-not-found"),
        ("routes", Some("index"), "route-not-found"),
    ] {
        let switch = |server: &Server, on: &str| {
            let mut arguments = vec!["route", "update", "--service", service, "--deployed", on];
            if let Some(action) = action {
                arguments.extend(["--action", action]);
            }
            let done = server.command(&arguments);
            assert!(done.status.success(), "{done:?}");
        };
        switch(&server, "false");
        wait_for("the route to be off", || {
            let answer = server.call("routes/index", json!({}));
            (answer.code == 500).then(|| refused(&answer, 500, status))
        });
        switch(&server, "true");
        wait_for("the route to be on", || {
            (server.call("routes/index", json!({})).code == 200).then_some(())
        });
    }
    let listed = server.command(&["route", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert!(
        listed.contains("POST\twebhook_out_subs/create\tdeployed"),
        "{listed}"
    );
}

#[test]
fn records_of_routes_that_cannot_be_read_are_told_as_such() {
    let mut server = Server::start();
    server.integration("acme");
    server.execute("alter table routes rename to gone");
    wait_for("the records to be missed", || {
        let answer = server.call(ROUTE, json!({}));
        let is_missed = answer.status() == "identify-request-error";
        is_missed.then(|| refused(&answer, 500, "identify-request-error"))
    });
    server.execute("alter table gone rename to routes");
    wait_for("the records to be found", || {
        (server.call(ROUTE, json!({})).status() == "missing-param").then_some(())
    });
}

#[test]
fn sensitive_routes_take_base64_in_plain_text_only() {
    let mut server = Server::start();
    let json = r#"{"email": "ann@example.com", "password": "correct horse", "name": "Ann"}"#;
    let path = "/api/v1/clients/register";
    let send = |server: &mut Server, kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        server
            .client()
            .send("POST", path, &headers, body.as_bytes())
    };
    let plain = send(&mut server, "text/plain", json);
    refused(&plain, 400, "invalid-encoded-params");
    let message = plain.json()["message"].as_str().expect("text").to_owned();
    assert!(
        message.contains("encode the JSON object in base64"),
        "{message}"
    );
    refused(
        &send(&mut server, "application/json", json),
        400,
        "invalid-content-type",
    );
    refused(
        &send(&mut server, "text/plain", "e30="),
        400,
        "no-params-decoded",
    );
    refused(
        &send(&mut server, "text/plain", "bm9uc2Vuc2U="),
        400,
        "invalid-encoded-params",
    );
    let parameters: Value = serde_json::from_str(json).expect("JSON");
    server.sensitive("clients/register", &parameters).data();
    let short = json!({ "email": "bob@example.com", "password": "hunter2", "name": "Bob" });
    let answer = server.sensitive("clients/register", &short);
    refused(&answer, 400, "invalid-param");
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
}
