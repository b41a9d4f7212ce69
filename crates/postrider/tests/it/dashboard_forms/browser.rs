//! A browser without scripts: a session, its pages, and the forms that it sends.

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::harness::{Answer, Server};

/// Somebody with a session, as the server sees their browser.
pub(super) struct Browser {
    cookie: String,
    csrf_token: String,
}

impl Browser {
    /// Signs in by a link.
    pub(super) fn sign_in(server: &mut Server, link_token: &Value) -> Browser {
        let link = json!({ "link_token": link_token });
        let token = server_session(server, &link);
        Browser::of_session(server, &token)
    }

    fn of_session(server: &mut Server, token: &str) -> Browser {
        let mut browser = Browser {
            cookie: format!("postrider_session={token}"),
            csrf_token: String::new(),
        };
        let page = browser.get(server, "/integrations");
        assert_eq!(page.code, 200, "{}", page.text);
        let (_, rest) = page
            .text
            .split_once("name=\"csrf_token\" value=\"")
            .expect("a form");
        let (token, _) = rest.split_once('"').expect("its end");
        browser.csrf_token = token.to_owned();
        browser
    }

    pub(super) fn get(&self, server: &mut Server, path: &str) -> Answer {
        let headers = [("cookie", self.cookie.as_str())];
        server.client().send("GET", path, &headers, b"")
    }

    /// The page at a path, which must be there.
    pub(super) fn page(&self, server: &mut Server, path: &str) -> String {
        let answer = self.get(server, path);
        assert_eq!(answer.code, 200, "{path}: {}", answer.text);
        answer.text
    }

    pub(super) fn post(&self, server: &mut Server, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = Serializer::new(String::new());
        body.append_pair("csrf_token", &self.csrf_token);
        let body = body.extend_pairs(fields).finish();
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        server
            .client()
            .send("POST", path, &headers, body.as_bytes())
    }

    /// Sends a form that is taken; where it leads.
    pub(super) fn done(&self, server: &mut Server, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.post(server, path, fields);
        assert_eq!(answer.code, 303, "{path}: {}", answer.text);
        answer.header("location").expect("a place").to_owned()
    }
}

fn server_session(server: &mut Server, asked: &Value) -> String {
    let session = server.sensitive("sessions/create", asked).data();
    session["token"].as_str().expect("a token").to_owned()
}

pub(super) fn employee(server: &mut Server) -> Browser {
    let asked = [
        "user",
        "create",
        "--email",
        "boss@example.com",
        "--role",
        "employee",
        "--json",
    ];
    let made = server.command(&asked);
    assert!(made.status.success(), "{made:?}");
    let made: Value = serde_json::from_slice(&made.stdout).expect("JSON");
    Browser::sign_in(server, &made["link_token"])
}

/// A partner's developer who may read one integration.
pub(super) fn liaison(server: &mut Server, integration: i64) -> Browser {
    let asked = json!({ "email": "eve@example.com", "password": "correct horse", "name": "Eve" });
    let made = server.sensitive("clients/register", &asked).data();
    let asked = json!({ "id": made["user"]["id"], "roles": ["liaison"], "scoped_integrations": [integration] });
    server.call("users/roles_update", asked).data();
    let asked = json!({ "email": "eve@example.com", "password": "correct horse" });
    let token = server_session(server, &asked);
    Browser::of_session(server, &token)
}
