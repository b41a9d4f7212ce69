//! Becoming a client: with an address and a password, or as somebody who signed in by a link and has no role yet.

use std::sync::Arc;

use app::Principal;
use axum::extract::{FromRequestParts, State};
use axum::response::IntoResponse;
use http::StatusCode;
use http::request::Parts;
use maud::{Markup, html};

use crate::Dashboard;
use crate::cookies;
use crate::form::{Empty, Form, field, parameters};
use crate::pages::Pages;
use crate::posted::{Fields, PostedByVisitor};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Page;
use crate::text::text;

pub(super) fn router() -> Pages {
    Pages::new()
        .get("/register", register)
        .post("/register", registered)
}

/// Whether somebody signed in who has no role yet.
struct IsSignedIn(bool);

impl FromRequestParts<Arc<Dashboard>> for IsSignedIn {
    type Rejection = Answer;

    async fn from_request_parts(
        parts: &mut Parts,
        dashboard: &Arc<Dashboard>,
    ) -> Result<IsSignedIn, Answer> {
        let token = cookies::get(&parts.headers, cookies::SESSION);
        Ok(IsSignedIn(is_signed_in(dashboard, token).await))
    }
}

async fn is_signed_in(dashboard: &Dashboard, token: Option<&str>) -> bool {
    let Some(token) = token else {
        return false;
    };
    matches!(
        dashboard.app.authenticate(token).await,
        Ok(Principal::User(_))
    )
}

async fn register(
    State(dashboard): State<Arc<Dashboard>>,
    IsSignedIn(signed_in): IsSignedIn,
) -> Answer {
    match form(&dashboard, signed_in, &Fields::default(), None) {
        Ok(main) => respond::private(&page(main)),
        Err(refusal) => refusal.into_response(),
    }
}

fn page(main: Markup) -> Page<'static> {
    Page {
        title: "Register",
        aside: None,
        main,
    }
}

fn form(
    dashboard: &Arc<Dashboard>,
    signed_in: bool,
    sent: &Fields,
    refusal: Option<&Refusal>,
) -> Result<Markup, Refusal> {
    let name = field("name").autocomplete("name");
    let form = match signed_in {
        true => Form::new(
            dashboard.route("users/client_register")?,
            "/register",
            "Register",
        )
        .fields([name]),
        false => Form::new(
            dashboard.route("clients/register")?,
            "/register",
            "Register",
        )
        .fields([
            field("email")
                .label("E-mail")
                .input_type("email")
                .autocomplete("username"),
            field("password")
                .input_type("password")
                .autocomplete("new-password"),
            name,
        ]),
    };
    Ok(html! {
        div.narrow {
            h1 { "Register as a client" }
            p { "You will see no integration until somebody who manages one invites you to it." }
            (form.refused(sent, refusal).draw_for_visitor())
            @if !signed_in { p { "Registered already? " a href="/sign_in" { "Sign in" } "." } }
        }
    })
}

async fn registered(State(dashboard): State<Arc<Dashboard>>, posted: PostedByVisitor) -> Answer {
    let signed_in = is_signed_in(&dashboard, posted.client.token.as_deref()).await;
    let done = match signed_in {
        true => call(&posted, "users/client_register", &["name"]).await,
        false => call(&posted, "clients/register", &["email", "password", "name"]).await,
    };
    let refusal = match done {
        Ok(answer) => return answer,
        Err(refusal) => refusal,
    };
    let code = StatusCode::from_u16(refusal.code).unwrap_or(StatusCode::BAD_REQUEST);
    match form(&dashboard, signed_in, &posted.fields, Some(&refusal)) {
        Ok(main) => respond::failure(code, &page(main)),
        Err(refusal) => refusal.into_response(),
    }
}

async fn call(posted: &PostedByVisitor, name: &str, names: &[&str]) -> Result<Answer, Refusal> {
    let client = &posted.client;
    let parameters = parameters(client.route(name)?, names, &posted.fields, Empty::Absent);
    let registered = client.call(name, parameters).await?.value();
    let mut answer = respond::see_other("/");
    let token = text(&registered["session"], "token");
    if !token.is_empty() {
        let guard = client.dashboard.cookie_guard();
        cookies::set(answer.headers_mut(), guard, cookies::SESSION, token, None);
    }
    Ok(answer)
}
