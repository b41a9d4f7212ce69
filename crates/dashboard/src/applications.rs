//! Applications: the programs that call the API. Their tokens are shown once, when they are made or replaced.

use app::Access;
use axum::extract::{Path, RawQuery};
use axum::response::IntoResponse;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::documentation::code;
use crate::form::{Empty, Form, button, field, parameters};
use crate::list;
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, moment, text};
use crate::visit::Visit;

const PATH: &str = "/applications";
const CREATE: &str = "applications/create";
const ROTATE: &str = "applications/rotate_token";

pub(crate) fn router() -> Pages {
    Pages::new()
        .get(PATH, index)
        .post(PATH, create)
        .get("/applications/new", new)
        .get("/applications/{id}", show)
        .post("/applications/{id}", rename)
        .post("/applications/{id}/active", switch)
        .post("/applications/{id}/rotate_token", rotate)
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("applications/index")?;
    let asked = list::parameters(route, &query);
    let reply = visit.call("applications/index", asked).await?;
    let applications = reply.items();
    let main = html! {
        div.head { h1 { "Applications" } a.button.primary href="/applications/new" { "New application" } }
        p { "Programs that call the API, each with a token of its own." }
        (list::bar(route, PATH, &query, "slug"))
        @if applications.is_empty() { div.empty { p { "No application is found." } } }
        @else {
            div.scroll { table.list {
                thead { tr {
                    th scope="col" { "Application" } th scope="col" { "State" } th scope="col" { "Reach" } th scope="col" { "Token made" }
                } }
                tbody { @for application in &applications { tr {
                    td data-label="Application" { a href={ (PATH) "/" (integer(application, "id").unwrap_or_default()) } { (text(application, "slug")) } }
                    td data-label="State" { (state(application)) }
                    td data-label="Reach" { (reach(application)) }
                    td data-label="Token made" { (moment(text(application, "token_created_at"))) }
                } } }
            } }
            (list::pager(PATH, &query, &reply, applications.len()))
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Applications",
        above: &[],
        main,
    }))
}

fn state(application: &Value) -> Markup {
    html! {
        @if is(application, "active") { span.state.good { "active" } } @else { span.state.quiet { "switched off" } }
    }
}

fn reach(application: &Value) -> Markup {
    html! {
        @match integer(application, "integration_id") {
            Some(id) => a href={ "/integrations/" (id) } { "integration " (id) },
            None => "all integrations",
        }
    }
}

async fn new(visit: Visit) -> Result<Answer, Refusal> {
    visit.demand(Access::Operators)?;
    new_page(&visit, None)
}

fn new_page(visit: &Visit, sent: Option<(&Fields, &Refusal)>) -> Result<Answer, Refusal> {
    let mut form = Form::new(visit.client.route(CREATE)?, PATH, "Create").fields([
        field("slug"),
        field("integration_id").label("Integration, by its number"),
    ]);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    let main = html! { h1 { "New application" } p { "Its token is shown after this, once." } (form.draw(visit)) };
    let screen = Screen {
        visit,
        title: "New application",
        above: &[("Applications", PATH.to_owned())],
        main,
    };
    let status = sent.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

async fn create(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let names = ["slug", "integration_id"];
    let route = visit.client.route(CREATE)?;
    let asked = parameters(route, &names, &posted.fields, Empty::Absent);
    match visit.call(CREATE, asked).await {
        Ok(reply) => Ok(with_token(visit, &reply.value(), "Application made")),
        Err(refusal) if refusal.is_of_form() => new_page(visit, Some((&posted.fields, &refusal))),
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// The only page that shows a token. It answers a form, so that no address leads to it.
fn with_token(visit: &Visit, application: &Value, title: &str) -> Answer {
    let id = integer(application, "id").unwrap_or_default();
    let until = text(application, "previous_token_until");
    let main = html! {
        h1 { (title) }
        div.notice role="status" { p { "Keep the token now: it is not shown again." }
            @if !until.is_empty() { p { "The one before is accepted as well until " (moment(until)) "." } } }
        (code("token", "Token", text(application, "token")))
        p { "Send it as " code { "Authorization: Bearer …" } ", or as the parameter " code { "token" } "; see the "
            a href="/documentation" { "API reference" } "." }
        div.actions { a.button.primary href={ (PATH) "/" (id) } { "To the application" } }
    };
    respond::screen(&Screen {
        visit,
        title,
        above: &[("Applications", PATH.to_owned())],
        main,
    })
}

/// The application of that id. There are few, and no route shows one.
async fn found(visit: &Visit, id: i64) -> Result<Value, Refusal> {
    let all = list::all(visit, "applications/index", &json!({})).await?;
    let found = all
        .into_iter()
        .find(|known| integer(known, "id") == Some(id));
    found.ok_or_else(Refusal::missing)
}

async fn show(visit: Visit, Path(id): Path<i64>) -> Result<Answer, Refusal> {
    let application = found(&visit, id).await?;
    page(&visit, &application, None)
}

/// Which of the page's forms was refused.
enum Refused<'r> {
    Name(&'r Fields, &'r Refusal),
    Token(&'r Fields, &'r Refusal),
}

fn page(
    visit: &Visit,
    application: &Value,
    refused: Option<Refused<'_>>,
) -> Result<Answer, Refusal> {
    let path = format!("{PATH}/{}", integer(application, "id").unwrap_or_default());
    let rotate_path = format!("{path}/rotate_token");
    let mut name = Form::new(visit.client.route("applications/update")?, &path, "Rename")
        .fields([field("slug").demanded()])
        .of_record(application);
    let mut rotate = Form::new(
        visit.client.route(ROTATE)?,
        &rotate_path,
        "Replace the token",
    )
    .fields([field("overlap_seconds").label("Overlap, in seconds")]);
    match &refused {
        Some(Refused::Name(fields, refusal)) => name = name.refused(fields, Some(refusal)),
        Some(Refused::Token(fields, refusal)) => rotate = rotate.refused(fields, Some(refusal)),
        None => {}
    }
    let (words, active) = match is(application, "active") {
        true => ("Switch off", "false"),
        false => ("Switch on", "true"),
    };
    let slug = text(application, "slug");
    let until = text(application, "previous_token_until");
    let main = html! {
        div.head {
            h1 { (slug) }
            (button(visit, &format!("{path}/active"), words, "", &[("active", active)]))
        }
        dl.facts {
            dt { "State" } dd { (state(application)) }
            dt { "Reach" } dd { (reach(application)) }
            dt { "Made" } dd { (moment(text(application, "created_at"))) }
            dt { "Token made" } dd { (moment(text(application, "token_created_at"))) }
            @if !until.is_empty() { dt { "Token before" } dd { "accepted until " (moment(until)) } }
        }
        section { h2 { "Token" } (rotate.draw(visit)) }
        section { h2 { "Name" } (name.draw(visit)) }
    };
    let screen = Screen {
        visit,
        title: slug,
        above: &[("Applications", PATH.to_owned())],
        main,
    };
    let status = refused.map_or(StatusCode::OK, |_| StatusCode::BAD_REQUEST);
    Ok(respond::screen_with(status, &screen))
}

async fn rename(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let asked = json!({ "id": id, "slug": posted.fields.get("slug") });
    match visit.call("applications/update", asked).await {
        Ok(_) => Ok(respond::done(visit, &format!("{PATH}/{id}"), "Saved.")),
        Err(refusal) if refusal.is_of_form() => {
            let application = found(visit, id).await?;
            let refused = Refused::Name(&posted.fields, &refusal);
            page(visit, &application, Some(refused))
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}

async fn switch(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let active = posted.fields.get("active") == "true";
    let asked = json!({ "id": id, "active": active });
    visit.call("applications/update", asked).await?;
    let sentence = match active {
        true => "Its token is accepted again.",
        false => "Its token is refused from now on.",
    };
    Ok(respond::done(visit, &format!("{PATH}/{id}"), sentence))
}

async fn rotate(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let route = visit.client.route(ROTATE)?;
    let mut asked = parameters(route, &["overlap_seconds"], &posted.fields, Empty::Absent);
    asked["id"] = json!(id);
    match visit.call(ROTATE, asked).await {
        Ok(reply) => Ok(with_token(visit, &reply.value(), "New token")),
        Err(refusal) if refusal.is_of_form() => {
            let application = found(visit, id).await?;
            let refused = Refused::Token(&posted.fields, &refusal);
            page(visit, &application, Some(refused))
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}
