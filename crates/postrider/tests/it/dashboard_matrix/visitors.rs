//! Every kind of visitor, with what their browser sends along.

use serde_json::{Value, json};

use crate::harness::{Answer, Server};

/// Where somebody looks at pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Dashboard,
    Portal,
}

/// Somebody. The letters are those of the table; `s` is a client of another integration, who may what a client may elsewhere.
pub(super) struct Visitor {
    pub(super) letter: char,
    pub(super) who: &'static str,
    pub(super) place: Place,
    token: String,
    form_token: String,
}

/// What somebody meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The page, or what the form came to: a page that says what is to be mended, too.
    In,
    /// Not for their role.
    Forbidden,
    /// There is no such page, or it is out of reach.
    Missing,
    /// They are led to where one signs in.
    SignIn,
    /// They are led to where one registers.
    Register,
}

impl Outcome {
    pub(super) fn of(answer: &Answer) -> Outcome {
        let leads_to = answer.header("location").unwrap_or_default();
        match answer.code {
            303 if leads_to.starts_with("/sign_in") => Outcome::SignIn,
            303 if leads_to == "/register" => Outcome::Register,
            200 | 303 | 400 | 401 | 429 => Outcome::In,
            403 => Outcome::Forbidden,
            404 => Outcome::Missing,
            code => panic!("{code}: {}", answer.text),
        }
    }
}

impl Visitor {
    fn new(server: &mut Server, letter: char, who: &'static str, token: &str) -> Visitor {
        let place = if letter == 'p' {
            Place::Portal
        } else {
            Place::Dashboard
        };
        let mut visitor = Visitor {
            letter,
            who,
            place,
            token: token.to_owned(),
            form_token: String::new(),
        };
        let with_form = match letter {
            'o' | 'r' => return visitor,
            'p' => "/integrations/0/webhook_out_subs/new",
            _ => "/integrations",
        };
        let page = visitor.ask(server, "GET", with_form).text;
        let (_, rest) = page
            .split_once("name=\"csrf_token\" value=\"")
            .expect("a form");
        let (token, _) = rest.split_once('"').expect("its end");
        visitor.form_token = token.to_owned();
        visitor
    }

    /// Asks for a page, or sends a form with little in it.
    pub(super) fn ask(&self, server: &mut Server, method: &str, path: &str) -> Answer {
        let body = format!(
            "csrf_token={}&deployed=true&active=true&read=true",
            self.form_token
        );
        let cookie = format!("postrider_session={}", self.token);
        let mut headers = vec![
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
        ];
        let mut path = path.to_owned();
        match self.place {
            // Its pages begin below the link; those of an integration say nothing of which.
            Place::Portal => {
                let inside = path.strip_prefix("/integrations/").and_then(|rest| {
                    let (id, page) = rest.split_once('/').unwrap_or((rest, ""));
                    id.parse::<i64>().ok().map(|_| format!("/{page}"))
                });
                path = format!("/portal/{}{}", self.token, inside.unwrap_or(path));
            }
            Place::Dashboard if !self.token.is_empty() => headers.push(("cookie", &cookie)),
            Place::Dashboard => {}
        }
        let body = if method == "POST" {
            body.as_bytes()
        } else {
            b""
        };
        server.client().send(method, &path, &headers, body)
    }
}

/// One of each kind; those who are scoped, to this integration.
pub(super) fn visitors(server: &mut Server, integration: i64) -> Vec<Visitor> {
    let elsewhere = server.integration("elsewhere");
    let liaison = person(server, "liaison", &["liaison"], integration);
    let client = person(server, "client", &["client"], integration);
    let stranger = person(server, "stranger", &["client"], elsewhere);
    let employee = person(server, "employee", &["employee"], integration);
    let role_less = person(server, "role-less", &[], integration);
    let link = json!({ "id": integration, "subject": "Bob of Acme" });
    let link = server.call("integrations/portal_link", link).data();
    let link = link["token"].as_str().expect("a token").to_owned();
    [
        ('o', "nobody", String::new()),
        ('r', "a user without a role", role_less),
        ('l', "a liaison", liaison),
        ('c', "a client", client),
        ('s', "a client of another integration", stranger),
        ('e', "an employee", employee),
        ('p', "somebody who came by a link into the portal", link),
    ]
    .map(|(letter, who, token)| Visitor::new(server, letter, who, &token))
    .into()
}

/// The session of a new user with these roles.
fn person(server: &mut Server, name: &str, roles: &[&str], integration: i64) -> String {
    let email = format!("{name}@example.com");
    let asked = json!({ "email": email, "password": "correct horse", "name": name });
    let made: Value = server.sensitive("clients/register", &asked).data();
    let scope =
        json!({ "id": made["user"]["id"], "roles": roles, "scoped_integrations": [integration] });
    server.call("users/roles_update", scope).data();
    let token = &made["session"]["token"];
    token.as_str().expect("a token").to_owned()
}
