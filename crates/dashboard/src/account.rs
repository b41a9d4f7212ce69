//! One's own account: the name, the password, and how long one stays signed in.

use axum::response::IntoResponse;
use http::StatusCode;
use maud::html;
use serde_json::{Value, json};

use crate::form::{Empty, Field, Form, field, parameters};
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{is, moment, text};
use crate::visit::Visit;

/// Its path.
pub(crate) const PATH: &str = "/account";
const PASSWORD_PATH: &str = "/account/password";
const ROUTE: &str = "users/update";
const NAMES: [&str; 2] = ["name", "remember_me"];

pub(crate) fn router() -> Pages {
    Pages::new()
        .get(PATH, show)
        .post(PATH, update)
        .post(PASSWORD_PATH, set_password)
}

/// Which of the page's forms was refused.
enum Refused<'r> {
    Account(&'r Fields, &'r Refusal),
    Password(&'r Fields, &'r Refusal),
}

async fn show(visit: Visit) -> Result<Answer, Refusal> {
    page(&visit, None).await
}

async fn own(visit: &Visit) -> Result<Value, Refusal> {
    Ok(visit.call("users/show", json!({})).await?.value())
}

async fn page(visit: &Visit, refused: Option<Refused<'_>>) -> Result<Answer, Refusal> {
    let user = own(visit).await?;
    let route = visit.client.route(ROUTE)?;
    let has_password = is(&user, "has_password");
    let mut account = Form::new(route, PATH, "Save")
        .fields([
            field("name").autocomplete("name").hint("").demanded(),
            field("remember_me").hint("Stay signed in until you sign out."),
        ])
        .of_record(&user);
    let submit = if has_password {
        "Change the password"
    } else {
        "Set a password"
    };
    let mut password =
        Form::new(route, PASSWORD_PATH, submit).fields(password_fields(has_password));
    match &refused {
        Some(Refused::Account(fields, refusal)) => account = account.refused(fields, Some(refusal)),
        Some(Refused::Password(fields, refusal)) => {
            password = password.refused(fields, Some(refusal));
        }
        None => {}
    }
    let main = html! {
        h1 { "Account" }
        dl.facts {
            dt { "E-mail" } dd { (text(&user, "email")) }
            dt { "Made" } dd { (moment(text(&user, "created_at"))) }
        }
        section { h2 { "You" } (account.draw(visit)) }
        section {
            h2 { "Password" }
            p { @if has_password { "A new one ends your other sessions." }
                @else { "You sign in by mailed links. With a password, you can sign in without a mail as well." } }
            (password.draw(visit))
        }
    };
    let screen = Screen {
        visit,
        title: "Account",
        above: &[],
        main,
    };
    let status = refused.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

fn password_fields(has_password: bool) -> Vec<Field> {
    let current = field("current_password")
        .input_type("password")
        .autocomplete("current-password")
        .hint("")
        .demanded();
    let new = field("password")
        .label("New password")
        .input_type("password")
        .autocomplete("new-password")
        .demanded();
    let current = has_password.then_some(current);
    current.into_iter().chain([new]).collect()
}

async fn update(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let asked = parameters(
        visit.client.route(ROUTE)?,
        &NAMES,
        &posted.fields,
        Empty::Null,
    );
    match visit.call(ROUTE, asked).await {
        Ok(_) => Ok(respond::done(visit, PATH, "Saved.")),
        Err(refusal) if refusal.is_of_form() => {
            page(visit, Some(Refused::Account(&posted.fields, &refusal))).await
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// Whoever finds a screen unlocked does not know the password of now, so it is asked for. An empty one is said too, to be refused.
async fn set_password(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let mut asked = json!({ "password": posted.fields.get("password") });
    if is(&own(visit).await?, "has_password") {
        asked["current_password"] = json!(posted.fields.get("current_password"));
    }
    match visit.call(ROUTE, asked).await {
        Ok(_) => Ok(respond::done(
            visit,
            PATH,
            "The password is set. Your other sessions have ended.",
        )),
        Err(refusal) if refusal.is_of_form() => {
            page(visit, Some(Refused::Password(&posted.fields, &refusal))).await
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}
