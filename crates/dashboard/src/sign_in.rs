//! Where the links of mails lead: what to do with a link that signs in, and how to register.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;

use crate::Dashboard;
use crate::documentation::code;
use crate::respond::{self, Answer};
use crate::shell::Page;

/// Longest token that is repeated in a page, in characters; ours are shorter.
const LINK_TOKEN_CHARS_MAX: usize = 200;

pub(crate) fn router() -> Router<Arc<Dashboard>> {
    Router::new()
        .route("/sign_in", get(sign_in))
        .route("/register", get(register))
}

#[derive(Deserialize)]
struct Link {
    link_token: Option<String>,
}

/// Signs nobody in by being looked at: programs that check the links of mails must not use them up.
async fn sign_in(State(dashboard): State<Arc<Dashboard>>, Query(link): Query<Link>) -> Answer {
    let token = link.link_token.filter(|token| is_link_token(token));
    respond::private(&Page {
        title: "Sign in",
        aside: None,
        main: match token {
            Some(token) => with_link(&dashboard.public_url, &token),
            None => without_link(&dashboard.public_url),
        },
    })
}

fn is_link_token(token: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    token.starts_with("prl_") && token.len() <= LINK_TOKEN_CHARS_MAX && token.chars().all(is_sign)
}

fn with_link(public_url: &str, token: &str) -> Markup {
    let json = format!(r#"{{"link_token": "{token}"}}"#);
    html! {
        h1 { "Your sign-in link" }
        p { "The link is good once. Whoever has it can sign in as you, so keep it to yourself." }
        p {
            "If a program asked you for the token of the link, this is it:"
        }
        (code("token", "Token", token))
        p { "At the command line, this begins a session:" }
        (code("curl", "Command", &sensitive(public_url, "sessions/create", &json)))
        p {
            "The answer's " code { "token" } " then goes with every request; see the "
            a href="/documentation/api/v1/sessions/create" { "reference" } "."
        }
    }
}

fn without_link(public_url: &str) -> Markup {
    let url = format!("{public_url}/api/v1/sessions/request_link");
    let curl = format!(
        "curl -sS {url} \\\n  -H 'Content-Type: application/json' -d '{{\"email\": \"ann@example.com\"}}'"
    );
    html! {
        h1 { "Sign in" }
        p { "This address takes the link from a mail. To be mailed one:" }
        (code("curl", "Command", &curl))
        p {
            "Or sign in by password; see the "
            a href="/documentation/api/v1/sessions/create" { "reference" } "."
        }
    }
}

async fn register(State(dashboard): State<Arc<Dashboard>>) -> Answer {
    let json = r#"{"email": "ann@example.com", "password": "…", "name": "Ann Example"}"#;
    respond::page(&Page {
        title: "Register",
        aside: None,
        main: html! {
            h1 { "Register as a client" }
            p { "If you are new here:" }
            (code("new", "Command", &sensitive(&dashboard.public_url, "clients/register", json)))
            p {
                "If you have signed in already and were answered " code { "client-required" } ", send the "
                "session's token and your name to "
                a href="/documentation/api/v1/users/client_register" { code { "users/client_register" } } "."
            }
            p { "You will see no integration until somebody who manages one invites you to it." }
        },
    })
}

fn sensitive(public_url: &str, route: &str, json: &str) -> String {
    format!(
        "base64 <<'END' | curl -sS {public_url}/api/v1/{route} \\\n  -H 'Content-Type: text/plain' --data-binary @-\n\
         {json}\nEND"
    )
}
