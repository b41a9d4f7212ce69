//! Signing in, by password or by mailed link, and out; and registering.

mod register;

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::IntoResponse;
use contract::status;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Dashboard;
use crate::api_call::Client;
use crate::cookies;
use crate::form::{Empty, Form, field, parameters};
use crate::pages::Pages;
use crate::posted::{Fields, Posted, PostedByVisitor};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Page;
use crate::text::text;
use crate::visit::Visit;

/// Longest token that is repeated in a page, in characters; ours are shorter.
const LINK_TOKEN_CHARS_MAX: usize = 200;
/// The field that says where to go on.
const NEXT: &str = "next";

pub(crate) fn router() -> Pages {
    Pages::new()
        .get("/sign_in", sign_in)
        .post("/sign_in", by_password)
        .post("/sign_in/link", by_link)
        .post("/sign_in/request_link", request_link)
        .post("/sign_out", sign_out)
        .merge(register::router())
}

#[derive(Deserialize)]
struct Asked {
    link_token: Option<String>,
    next: Option<String>,
}

/// Signs nobody in by being looked at: programs that check the links of mails must not use them up.
async fn sign_in(
    State(dashboard): State<Arc<Dashboard>>,
    Query(asked): Query<Asked>,
    visit: Option<Visit>,
) -> Answer {
    if let Some(token) = asked.link_token.filter(|token| is_link_token(token)) {
        return respond::private(&link_page(&token));
    }
    let next = asked.next.unwrap_or_default();
    if visit.is_some() {
        return respond::see_other(inside(&next));
    }
    match forms(&dashboard, &next, &Fields::default(), None) {
        Ok(main) => respond::private(&page(main)),
        Err(refusal) => refusal.into_response(),
    }
}

fn is_link_token(token: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    token.starts_with("prl_") && token.len() <= LINK_TOKEN_CHARS_MAX && token.chars().all(is_sign)
}

/// A path of ours, whatever was asked for: nobody is led elsewhere.
fn inside(next: &str) -> &str {
    let is_ours =
        next.starts_with('/') && !next.starts_with("//") && !next.contains(['\\', '\n', '\r']);
    if is_ours { next } else { "/" }
}

fn page(main: Markup) -> Page<'static> {
    Page {
        title: "Sign in",
        aside: None,
        main,
    }
}

fn link_page(token: &str) -> Page<'static> {
    page(html! {
        div.narrow {
            h1 { "Sign in" }
            p { "This link signs you in once. Whoever has it can sign in as you, so keep it to yourself." }
            form.stack method="post" action="/sign_in/link" {
                input type="hidden" name="link_token" value=(token);
                label.tick { input type="checkbox" name="remember_me" value="true"; " Remember me on this device" }
                p.buttons { button.primary type="submit" { "Sign in" } }
            }
            details {
                summary { "For a program" }
                p { "A program begins a session with the token of the link; see the "
                    a href="/documentation/api/v1/sessions/create" { "reference" } "." }
                (crate::documentation::code("token", "Token of the link", token))
            }
        }
    })
}

/// Both ways in.
fn forms(
    dashboard: &Arc<Dashboard>,
    next: &str,
    sent: &Fields,
    refusal: Option<&Refusal>,
) -> Result<Markup, Refusal> {
    let (create, request) = (
        dashboard.route("sessions/create")?,
        dashboard.route("sessions/request_link")?,
    );
    let is_link = sent.get("way") == "link";
    let mut by_password = Form::new(create, "/sign_in", "Sign in")
        .fields([
            field("email")
                .label("E-mail")
                .input_type("email")
                .autocomplete("username")
                .hint("")
                .demanded(),
            field("password")
                .input_type("password")
                .autocomplete("current-password")
                .hint("")
                .demanded(),
            field("remember_me").hint("Stay signed in until you sign out."),
        ])
        .hidden(NEXT, next);
    let mut by_link = Form::new(request, "/sign_in/request_link", "Mail me a link")
        .fields([field("email")
            .id("link-email")
            .label("E-mail")
            .input_type("email")
            .autocomplete("email")
            .hint("")])
        .hidden("way", "link");
    if is_link {
        by_link = by_link.refused(sent, refusal);
    } else {
        by_password = by_password.refused(sent, refusal);
    }
    Ok(html! {
        div.narrow {
            h1 { "Sign in" }
            (by_password.draw_for_visitor())
            h2 { "Or without a password" }
            p { "A link is mailed to you. It is good once, for 15 minutes." }
            (by_link.draw_for_visitor())
            p { "New here? " a href="/register" { "Register as a client" } "." }
        }
    })
}

async fn by_password(State(dashboard): State<Arc<Dashboard>>, posted: PostedByVisitor) -> Answer {
    let fields = &posted.fields;
    let next = fields.get(NEXT).to_owned();
    let names = ["email", "password", "remember_me"];
    let parameters = match dashboard.route("sessions/create") {
        Ok(route) => parameters(route, &names, fields, Empty::Absent),
        Err(refusal) => return refusal.into_response(),
    };
    match begin(&posted.client, parameters, inside(&next)).await {
        Ok(answer) => answer,
        Err(refusal) => again(&dashboard, &next, fields, &refusal),
    }
}

async fn by_link(posted: PostedByVisitor) -> Answer {
    let fields = &posted.fields;
    let remember = fields.get("remember_me") == "true";
    let asked = json!({ "link_token": fields.get("link_token"), "remember_me": remember });
    match begin(&posted.client, asked, "/").await {
        Ok(answer) => answer,
        Err(_) => respond::failure(
            StatusCode::UNAUTHORIZED,
            &page(html! {
                div.narrow {
                    h1 { "This link is not good any more" }
                    p { "It was used already, or is too old. Ask for a new one." }
                    p { a.button href="/sign_in" { "Sign in" } }
                }
            }),
        ),
    }
}

/// Begins a session, and keeps its token in the browser. Who has no role yet goes on to register.
async fn begin(client: &Client, parameters: Value, next: &str) -> Result<Answer, Refusal> {
    let guard = client.dashboard.cookie_guard();
    let created = client.call("sessions/create", parameters).await;
    let (token, next, is_remembered) = match &created {
        Ok(reply) => {
            let session = reply.value();
            (
                text(&session, "token").to_owned(),
                next,
                session["expires_at"].is_null(),
            )
        }
        Err(refusal) => match refusal.token_to_register_with() {
            Some(token) => (token.to_owned(), "/register", false),
            None => return created.map(|_| respond::see_other(next)),
        },
    };
    let mut answer = respond::see_other(next);
    let seconds = is_remembered.then_some(cookies::REMEMBERED_SECONDS);
    cookies::set(
        answer.headers_mut(),
        guard,
        cookies::SESSION,
        &token,
        seconds,
    );
    Ok(answer)
}

fn again(dashboard: &Arc<Dashboard>, next: &str, fields: &Fields, refusal: &Refusal) -> Answer {
    let code = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    match forms(dashboard, next, fields, Some(refusal)) {
        Ok(main) => respond::failure(code, &page(main)),
        Err(refusal) => refusal.into_response(),
    }
}

async fn request_link(State(dashboard): State<Arc<Dashboard>>, posted: PostedByVisitor) -> Answer {
    let email = posted.fields.get("email").trim().to_owned();
    let mut parameters = json!({});
    if !email.is_empty() {
        parameters["email"] = json!(email);
    }
    match posted
        .client
        .call("sessions/request_link", parameters)
        .await
    {
        Ok(_) => respond::private(&page(html! {
            div.narrow {
                h1 { "Look into your mail" }
                p { "A link is on its way to " strong { (email) } ". It is good once, for 15 minutes." }
            }
        })),
        Err(refusal) => again(&dashboard, "", &posted.fields, &refusal),
    }
}

async fn sign_out(posted: Posted) -> Answer {
    let dashboard = &posted.visit.client.dashboard;
    // A session that is over already is what was wanted.
    let ended = posted.visit.call("sessions/delete", json!({})).await;
    if let Err(refusal) = ended
        && refusal.status != status::INVALID_TOKEN.slug
    {
        return refusal.into_response();
    }
    let mut answer = respond::see_other("/sign_in");
    cookies::set(
        answer.headers_mut(),
        dashboard.cookie_guard(),
        cookies::SESSION,
        "",
        Some(0),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        let cases = [
            ("/integrations/1?q=a", "/integrations/1?q=a"),
            ("//evil.example.com", "/"),
            ("/\\evil.example.com", "/"),
            ("https://evil.example.com", "/"),
            ("", "/"),
        ];
        for (next, expected) in cases {
            assert_eq!(inside(next), expected);
        }
    }
}
