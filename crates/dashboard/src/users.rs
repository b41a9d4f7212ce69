//! Users: people, what they may be, and the integrations that they reach.

use app::Access;
use axum::extract::{Path, RawQuery};
use axum::response::IntoResponse;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::form::{Empty, Field, Form, field, parameters};
use crate::list;
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, moment, text};
use crate::visit::Visit;

const PATH: &str = "/users";
const CREATE: &str = "users/create";
const ROLES: &str = "users/roles_update";
const NEW_NAMES: [&str; 4] = ["email", "name", "roles", "scoped_integrations"];
const ROLES_NAMES: [&str; 2] = ["roles", "scoped_integrations"];
/// Integrations from which on their numbers are written, one a line, rather than ticked.
const TICKS_MAX: usize = 100;

pub(crate) fn router() -> Pages {
    Pages::new()
        .get(PATH, index)
        .post(PATH, create)
        .get("/users/new", new)
        .get("/users/{id}", show)
        .post("/users/{id}", update)
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("users/index")?;
    let asked = list::parameters(route, &query);
    let reply = visit.call("users/index", asked).await?;
    let users = reply.items();
    let main = html! {
        div.head { h1 { "Users" } a.button.primary href="/users/new" { "New user" } }
        (list::bar(route, PATH, &query, "e-mail or name"))
        @if users.is_empty() { div.empty { p { "Nobody is found." } } }
        @else {
            div.scroll { table.list {
                thead { tr { th scope="col" { "User" } th scope="col" { "Roles" } th scope="col" { "Reach" } th scope="col" { "Made" } } }
                tbody { @for user in &users { tr {
                    td data-label="User" {
                        a.shortened href={ (PATH) "/" (integer(user, "id").unwrap_or_default()) } { (text(user, "email")) }
                        " " span.quiet { (text(user, "name")) }
                    }
                    td data-label="Roles" { (roles(user)) }
                    td data-label="Reach" { (reach(user)) }
                    td data-label="Made" { (moment(text(user, "created_at"))) }
                } } }
            } }
            (list::pager(PATH, &query, &reply, users.len()))
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Users",
        above: &[],
        main,
    }))
}

fn roles(user: &Value) -> Markup {
    let roles = user["roles"].as_array().map_or(&[][..], Vec::as_slice);
    html! {
        @if roles.is_empty() { span.quiet { "none" } }
        @for role in roles { span.badge { (role.as_str().unwrap_or_default()) } " " }
    }
}

fn reach(user: &Value) -> String {
    let is_employee = user["roles"]
        .as_array()
        .is_some_and(|roles| roles.iter().any(|role| role == "employee"));
    let scoped = user["scoped_integrations"].as_array().map_or(0, Vec::len);
    match scoped {
        _ if is_employee => "all integrations".to_owned(),
        0 => "nothing".to_owned(),
        1 => "1 integration".to_owned(),
        count => format!("{count} integrations"),
    }
}

/// The integrations to tick, where they are not too many.
async fn scope_field(visit: &Visit) -> Result<Field, Refusal> {
    let all = list::all(visit, "integrations/index", &json!({})).await?;
    let scope = field("scoped_integrations");
    if all.is_empty() || all.len() > TICKS_MAX {
        return Ok(scope.hint(
            "The numbers of the integrations that the user may use as client or liaison, one a line.",
        ));
    }
    let option = |integration: &Value| {
        let id = integer(integration, "id").unwrap_or_default();
        (id.to_string(), text(integration, "name").to_owned())
    };
    Ok(scope
        .hint("The integrations that the user may use as client or liaison.")
        .options(all.iter().map(option).collect()))
}

async fn new(visit: Visit) -> Result<Answer, Refusal> {
    visit.demand(Access::Operators)?;
    new_page(&visit, None).await
}

async fn new_page(visit: &Visit, sent: Option<(&Fields, &Refusal)>) -> Result<Answer, Refusal> {
    let mut form = Form::new(visit.client.route(CREATE)?, PATH, "Create")
        .fields([
            field("email").label("E-mail").input_type("email"),
            field("name"),
            field("roles"),
        ])
        .fields([scope_field(visit).await?]);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! {
        h1 { "New user" }
        p { "They sign in by a link that they have mailed to them, and may set a password then." }
        (form.draw(visit))
    };
    let screen = Screen {
        visit,
        title: "New user",
        above: &[("Users", PATH.to_owned())],
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

async fn create(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let route = visit.client.route(CREATE)?;
    let asked = parameters(route, &NEW_NAMES, &posted.fields, Empty::Absent);
    match visit.call(CREATE, asked).await {
        Ok(reply) => {
            let id = integer(&reply.value(), "id").unwrap_or_default();
            let path = format!("{PATH}/{id}");
            Ok(respond::done(visit, &path, "The user was made."))
        }
        Err(refusal) if refusal.is_of_form() => {
            new_page(visit, Some((&posted.fields, &refusal))).await
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}

async fn show(visit: Visit, Path(id): Path<i64>) -> Result<Answer, Refusal> {
    visit.demand(Access::Operators)?;
    page(&visit, id, None).await
}

async fn page(
    visit: &Visit,
    id: i64,
    sent: Option<(&Fields, &Refusal)>,
) -> Result<Answer, Refusal> {
    let user = visit.call("users/show", json!({ "id": id })).await?.value();
    let path = format!("{PATH}/{id}");
    let mut form = Form::new(visit.client.route(ROLES)?, &path, "Save")
        .fields([field("roles"), scope_field(visit).await?])
        .of_record(&user);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let email = text(&user, "email");
    let main = html! {
        h1.shortened { (email) }
        dl.facts {
            dt { "Name" } dd { (text(&user, "name")) }
            dt { "Roles" } dd { (roles(&user)) }
            dt { "Reach" } dd { (reach(&user)) }
            dt { "Password" } dd { @if is(&user, "has_password") { "set" } @else { "none; signs in by mailed links" } }
            dt { "Made" } dd { (moment(text(&user, "created_at"))) }
        }
        section { h2 { "What they may be" } (form.draw(visit)) }
        p { a href={ "/audit_events?noun=user&record_id=" (id) } { "What was changed of them" } }
    };
    let screen = Screen {
        visit,
        title: email,
        above: &[("Users", PATH.to_owned())],
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

async fn update(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let route = visit.client.route(ROLES)?;
    let mut asked = parameters(route, &ROLES_NAMES, &posted.fields, Empty::Absent);
    for name in ROLES_NAMES {
        // Nothing ticked takes all away; what is not said would stay.
        if asked[name].is_null() {
            asked[name] = json!([]);
        }
    }
    asked["id"] = json!(id);
    match visit.call(ROLES, asked).await {
        Ok(_) => Ok(respond::done(visit, &format!("{PATH}/{id}"), "Saved.")),
        Err(refusal) if refusal.is_of_form() => {
            page(visit, id, Some((&posted.fields, &refusal))).await
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}
