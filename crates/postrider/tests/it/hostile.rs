//! What an attacker would try first: routes without a token or by other methods, guessing passwords, bodies that
//! are none, and reading secrets where they should not stand.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::harness::server::{postrider, run};
use crate::harness::{Answer, Client, Mailbox, Server, base64};

const TEXT: (&str, &str) = ("content-type", "text/plain");
const JSON: (&str, &str) = ("content-type", "application/json");
const PASSWORD: &str = "correct-horse-battery-staple";
/// Tries within a minute.
const TRIES_MAX: usize = 10;

fn sensitive(client: &mut Client, route: &str, parameters: &Value, from: &str) -> Answer {
    let body = base64(parameters.to_string().as_bytes());
    let headers = [TEXT, ("x-forwarded-for", from)];
    let path = format!("/api/v1/{route}");
    client.send("POST", &path, &headers, body.as_bytes())
}

fn register(client: &mut Client, email: &str, from: &str) -> Value {
    let new = json!({ "email": email, "password": PASSWORD, "name": "Ann" });
    sensitive(client, "clients/register", &new, from).data()
}

fn sign_in(client: &mut Client, email: &str, password: &str, from: &str) -> Answer {
    let given = json!({ "email": email, "password": password });
    sensitive(client, "sessions/create", &given, from)
}

/// The paths of the document with their only methods, and whether they want a token.
fn routes() -> Vec<(String, String, bool)> {
    let printed = run(std::path::Path::new("."), &["openapi"]).stdout;
    let document: Value = serde_json::from_slice(&printed).expect("JSON");
    let paths = document["paths"].as_object().expect("paths").iter();
    let routes = paths.map(|(path, methods)| {
        let (method, operation) = methods
            .as_object()
            .expect("methods")
            .iter()
            .next()
            .expect("one");
        let wants_token = operation["security"] != json!([]);
        (path.clone(), method.to_uppercase(), wants_token)
    });
    routes.collect()
}

#[test]
fn a_path_with_another_method_is_no_route() {
    let mut server = Server::start();
    for (path, method, _) in routes() {
        for other in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY",
        ] {
            if other == method {
                continue;
            }
            let answer = server.client().send(other, &path, &[JSON], b"{}");
            let found = (answer.code, answer.status());
            assert_eq!(
                found,
                (500, "route-non-existent".to_owned()),
                "{other} {path}"
            );
        }
    }
}

#[test]
fn no_route_that_wants_a_token_answers_without_a_good_one() {
    let mut server = Server::start();
    let token = server.token.clone();
    let mut wanted = 0;
    for (path, method, wants_token) in routes() {
        if !wants_token {
            continue;
        }
        wanted += 1;
        let client = server.client();
        let none = client.send(&method, &path, &[JSON], b"{\"x\": 1}");
        assert_eq!(
            (none.code, none.status().as_str()),
            (400, "missing-param"),
            "{path}"
        );
        assert!(none.attrs().contains(&"token".to_owned()), "{path}");
        let good = format!("Bearer {token}");
        let cases: [(&str, &str); 6] = [
            ("Bearer pra_nobody", "{}"),
            ("Bearer pra_", "{}"),
            ("Bearer pra_nobody", ""),
            // What stands in the body counts before the header.
            (&good, "{\"token\": \"pra_nobody\"}"),
            (&good, "{\"token\": 7}"),
            (&good, "{\"token\": [\"pra_nobody\"]}"),
        ];
        for (authorization, body) in cases {
            let headers = [JSON, ("authorization", authorization)];
            let answer = client.send(&method, &path, &headers, body.as_bytes());
            let found = (answer.code, answer.status());
            assert_eq!(
                found,
                (401, "invalid-token".to_owned()),
                "{path} {authorization} {body}"
            );
        }
    }
    assert!(wanted > 40, "{wanted}");
}

#[test]
fn passwords_are_guessed_ten_times_a_minute_wherever_the_guesser_says_to_be() {
    let mut server = Server::start();
    for guess in 0..TRIES_MAX {
        let from = format!("198.51.100.{guess}");
        let email = format!("ann{guess}@example.com");
        let refused = sign_in(server.client(), &email, "a guess", &from);
        assert_eq!(refused.code, 401, "{}", refused.text);
    }
    let refused = sign_in(
        server.client(),
        "bob@example.com",
        "a guess",
        "198.51.100.99",
    );
    assert_eq!(
        (refused.code, refused.status().as_str()),
        (429, "rate-limit-exceeded")
    );
    let seconds = refused
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    assert!(
        seconds.is_some_and(|seconds: u32| (1..=60).contains(&seconds)),
        "{seconds:?}"
    );
}

#[test]
fn one_account_is_guessed_ten_times_a_minute_from_all_addresses_together() {
    let mut server = Server::start_with(&["--trusted-proxies", "127.0.0.0/8"]);
    register(server.client(), "ann@example.com", "203.0.113.1");
    for guess in 0..TRIES_MAX {
        let from = format!("198.51.100.{guess}");
        let refused = sign_in(server.client(), "ANN@example.com", "a guess", &from);
        assert_eq!(refused.code, 401, "{}", refused.text);
    }
    // The right password too: a guesser must not learn that it is.
    let refused = sign_in(
        server.client(),
        "ann@example.com",
        PASSWORD,
        "198.51.100.99",
    );
    assert_eq!(refused.code, 429);
    assert!(refused.header("retry-after").is_some());
    let other = sign_in(
        server.client(),
        "bob@example.com",
        "a guess",
        "198.51.100.99",
    );
    assert_eq!(other.code, 401, "other accounts go on");
}

#[test]
fn a_session_that_was_answered_outlives_kill_9() {
    let mut server = Server::start();
    register(server.client(), "ann@example.com", "");
    let made = sign_in(server.client(), "ann@example.com", PASSWORD, "");
    server.kill();
    let token = made.data()["token"].clone();
    server.restart();
    let shown = server
        .call("sessions/show", json!({ "token": token }))
        .data();
    assert_eq!(shown["id"], made.data()["id"]);
}

#[test]
fn bodies_that_are_none_are_refused_and_harm_nobody() {
    let mut server = Server::start();
    let deep = format!("{{\"email\": {}", "[".repeat(300_000));
    let closed = format!("{deep}{}}}", "]".repeat(300_000));
    let many: String = (0..20_000).map(|n| format!("\"x{n}\": 1, ")).collect();
    let many = format!("{{{many}\"email\": \"ann@example.com\", \"password\": \"p\"}}");
    let long = json!({ "email": "a".repeat(200_000), "password": "b".repeat(200_000) }).to_string();
    let encoded = base64;
    let good = base64(b"{\"email\": \"ann@example.com\"}");
    let unreadable = "invalid-encoded-params";
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("deep", encoded(deep.as_bytes()).into(), unreadable),
        (
            "deep and closed",
            encoded(closed.as_bytes()).into(),
            unreadable,
        ),
        (
            "many unknown names",
            encoded(many.as_bytes()).into(),
            "invalid-param",
        ),
        (
            "long values",
            encoded(long.as_bytes()).into(),
            "invalid-param",
        ),
        (
            "no base64",
            b"{\"email\": \"ann@example.com\"}".to_vec(),
            unreadable,
        ),
        (
            "base64 that is cut off",
            good.as_bytes()[..good.len() - 3].to_vec(),
            unreadable,
        ),
        ("padding alone", b"====".to_vec(), unreadable),
        (
            "padding inside",
            format!("{good}={good}").into(),
            unreadable,
        ),
        ("the other alphabet", b"_-_-".to_vec(), unreadable),
        ("bytes above ASCII", vec![0xff; 64], unreadable),
        (
            "BOM outside",
            [b"\xef\xbb\xbf", good.as_bytes()].concat(),
            unreadable,
        ),
        ("BOM inside", encoded(b"\xef\xbb\xbf{}").into(), unreadable),
        ("UTF-16", encoded(b"\xff\xfe{\0}\0").into(), unreadable),
        (
            "no UTF-8",
            encoded(b"{\"email\": \"\xc3\x28\"}").into(),
            unreadable,
        ),
        (
            "half a pair",
            encoded(b"{\"email\": \"\\ud800\"}").into(),
            unreadable,
        ),
        (
            "a number that is none",
            encoded(b"{\"email\": NaN}").into(),
            unreadable,
        ),
        (
            "no object",
            encoded(b"\"ann@example.com\"").into(),
            unreadable,
        ),
        ("two objects", encoded(b"{} {}").into(), unreadable),
        ("nothing", Vec::new(), "no-params-decoded"),
        (
            "an empty object",
            encoded(b"{}").into(),
            "no-params-decoded",
        ),
    ];
    for (case, body, status) in cases {
        let path = "/api/v1/sessions/create";
        let answer = server.client().send("POST", path, &[TEXT], &body);
        assert_eq!(
            (answer.code, answer.status().as_str()),
            (400, status),
            "{case}"
        );
        assert!(
            answer.text.len() < 100_000,
            "{case}: as long as what it answers"
        );
    }
    server.call("integrations/index", json!({})).data();
}

/// A server that logs all it can into a file.
fn serve_loudly(folder: &std::path::Path, mail: &str) -> (Child, SocketAddr) {
    let log = File::create(folder.join("log")).expect("a file");
    let mut child = postrider(folder)
        .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
        .args(["--log", "trace", "--mail", mail])
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let address = lines.map_while(Result::ok).find_map(|line| {
        let (_, rest) = line.split_once("listening on http://")?;
        rest.split_whitespace().next()?.parse().ok()
    });
    (child, address.expect("it says where it listens"))
}

#[test]
fn neither_the_database_nor_the_log_holds_what_opens_a_door() {
    let folder = tempfile::tempdir().expect("a folder");
    let create = [
        "application",
        "create",
        "--data",
        "data",
        "--slug",
        "a",
        "--json",
    ];
    let made: Value = serde_json::from_slice(&run(folder.path(), &create).stdout).expect("JSON");
    let mailbox = Mailbox::start();
    let (mut child, address) = serve_loudly(folder.path(), &mailbox.url());
    let mut client = Client::new(address);
    let client = &mut client;
    let registered = register(client, "ann@example.com", "");
    let signed_in = sign_in(client, "ann@example.com", PASSWORD, "").data();
    sign_in(client, "ann@example.com", "a-wrong-password-9", "");
    let mut call = |route: &str, mut parameters: Value| {
        parameters["token"] = made["token"].clone();
        let path = format!("/api/v1/{route}");
        let body = parameters.to_string();
        client.send("POST", &path, &[JSON], body.as_bytes()).data()
    };
    let integration = call("integrations/create", json!({ "key": "a", "name": "A" }));
    let sub = call(
        "webhook_out_subs/create",
        json!({ "integration_id": integration["id"], "key": "crm", "name": "CRM", "statuses": ["*"],
            "callback_url": "https://example.com/", "version": "v3" }),
    );
    let ask = json!({ "email": "ann@example.com" }).to_string();
    let path = "/api/v1/sessions/request_link";
    client.send("POST", path, &[JSON], ask.as_bytes()).data();
    let mail = mailbox.wait_for("Your sign-in link", 1).remove(0);
    let text = mail.text("text");
    let start = text.find("prl_").expect("a link token");
    let link = text[start..].split_whitespace().next().expect("a word");
    child.kill().expect("it runs");
    child.wait().expect("it ends");

    let told = |value: &Value| value.as_str().expect("text").to_owned();
    let hidden = [
        told(&made["token"]),
        told(&registered["session"]["token"]),
        told(&signed_in["token"]),
        told(&sub["signing_secret"])["whsec_".len()..].to_owned(),
        link.to_owned(),
        PASSWORD.to_owned(),
        "a-wrong-password-9".to_owned(),
    ];
    let files = ["data/postrider.db", "data/postrider.db-wal", "log"];
    let mut looked_at = 0;
    for file in files {
        let bytes = std::fs::read(folder.path().join(file)).expect(file);
        assert!(!bytes.is_empty(), "{file}");
        looked_at += bytes.len();
        for secret in &hidden {
            // A hash of it, or its base64, is not sought; what was given word for word is.
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{} stands in {file}", &secret[..4]);
        }
    }
    assert!(looked_at > 10_000, "{looked_at}");
    let log = std::fs::read_to_string(folder.path().join("log")).expect("text");
    assert!(log.contains("invalid-credentials"), "{log}");
}
