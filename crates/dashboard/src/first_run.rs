//! The first run: the page behind the link that a new server prints. It makes the first employee, who then makes an integration.

use std::sync::Arc;

use app::{Caller, Denied, Principal};
use axum::extract::{Query, State};
use axum::response::IntoResponse;
use contract::{Failure, Fault};
use domain::email_address::EmailAddress;
use http::StatusCode;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::Dashboard;
use crate::api_call::check;
use crate::cookies;
use crate::form::{Empty, Form, field, parameters};
use crate::pages::Pages;
use crate::posted::{Fields, PostedByVisitor};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Page;
use crate::text::text;

/// The field that bears the link's token.
const TOKEN: &str = "token";

pub(crate) fn router() -> Pages {
    Pages::new()
        .get("/first_run", welcome)
        .post("/first_run", begin)
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    token: String,
}

async fn welcome(State(dashboard): State<Arc<Dashboard>>, Query(asked): Query<Asked>) -> Answer {
    if !dashboard.app.is_first_run(&asked.token).await {
        return over();
    }
    shown(&dashboard, &asked.token, &Fields::default(), None)
}

fn over() -> Answer {
    respond::failure(
        StatusCode::NOT_FOUND,
        &page(html! {
            div.narrow {
                h1 { "This link is not good any more" }
                p { "The link of a first run is good once, for an hour, and until the server is started again. Without any employee, \
                     each start prints a new one." }
                p { a.button href="/sign_in" { "Sign in" } }
            }
        }),
    )
}

fn page(main: Markup) -> Page<'static> {
    Page {
        title: "Welcome",
        aside: None,
        main,
    }
}

fn shown(
    dashboard: &Arc<Dashboard>,
    token: &str,
    sent: &Fields,
    refusal: Option<&Refusal>,
) -> Answer {
    let route = match dashboard.route("clients/register") {
        Ok(route) => route,
        Err(refusal) => return refusal.into_response(),
    };
    let form = Form::new(route, "/first_run", "Begin")
        .fields([
            field("email")
                .label("E-mail")
                .input_type("email")
                .autocomplete("username"),
            field("password")
                .input_type("password")
                .autocomplete("new-password"),
            field("name").autocomplete("name"),
        ])
        .hidden(TOKEN, token)
        .refused(sent, refusal);
    let code = refusal.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    respond::failure(
        code,
        &page(html! {
            div.narrow {
                h1 { "Welcome to Postrider" }
                p { "This server is new. You will be its first employee: somebody who may do everything, and lets others in." }
                (form.draw_for_visitor())
            }
        }),
    )
}

async fn begin(State(dashboard): State<Arc<Dashboard>>, posted: PostedByVisitor) -> Answer {
    let token = posted.fields.get(TOKEN).to_owned();
    match employ(&dashboard, &token, &posted).await {
        Ok(answer) => answer,
        Err(refusal) if refusal.is_of_form() => {
            shown(&dashboard, &token, &posted.fields, Some(&refusal))
        }
        Err(refusal) => refusal.into_response(),
    }
}

/// All that is asked is looked at before anything is made.
async fn employ(
    dashboard: &Arc<Dashboard>,
    token: &str,
    posted: &PostedByVisitor,
) -> Result<Answer, Refusal> {
    if !dashboard.app.is_first_run(token).await {
        return Ok(over());
    }
    let route = dashboard.route("clients/register")?;
    let parameters = parameters(
        route,
        &["email", "password", "name"],
        &posted.fields,
        Empty::Absent,
    );
    check(route, &parameters)?;
    let email = text(&parameters, "email").parse::<EmailAddress>();
    let email = email.map_err(|fault| of_email(fault.to_string()))?;
    let caller = Caller {
        principal: &Principal::Visitor,
        request_id: "first-run",
        address: None,
    };
    let session = match dashboard
        .app
        .create_first_employee(caller, token, email)
        .await
    {
        Ok(session) => session,
        Err(Denied::InvalidCredentials) => return Ok(over()),
        Err(Denied::Refused(refusals)) => {
            let messages: Vec<String> = refusals
                .into_iter()
                .map(|refusal| refusal.message)
                .collect();
            return Err(of_email(messages.join("; ")));
        }
        Err(_) => return Err(Refusal::new(&contract::status::STORE_UNAVAILABLE)),
    };
    let client = posted.client.with_token(session.token.text());
    let own = json!({ "name": parameters["name"], "password": parameters["password"] });
    client.call("users/update", own).await?;
    let mut answer = respond::see_other("/integrations/new");
    cookies::set(
        answer.headers_mut(),
        dashboard.cookie_guard(),
        cookies::SESSION,
        session.token.text(),
        None,
    );
    Ok(answer)
}

fn of_email(message: String) -> Refusal {
    let failure = Failure::invalid_param(vec![Fault::new("email", message)]);
    Refusal::of(&failure.into_response())
}
