//! Vocabularies: the words for order statuses and order events.

use app::Access;
use axum::extract::{Path, RawQuery};
use axum::response::IntoResponse;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::form::{Empty, Form, field, parameters};
use crate::list;
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, text};
use crate::visit::Visit;

/// The vocabularies, with what they are called.
const LISTS: [(&str, &str); 2] = [
    ("order_status", "Order statuses"),
    ("order_event", "Order events"),
];

/// What a subscription lists where it wants every word.
pub(crate) const ALL: &str = "*";

/// The words of a vocabulary that can be used, as choices of a form; beside them those of `chosen` that can be used no more.
///
/// # Errors
/// Whatever the API refuses.
pub(crate) async fn options(
    visit: &Visit,
    key: &str,
    chosen: &[&str],
) -> Result<Vec<(String, String)>, Refusal> {
    let asked = json!({ "key": key, "filters": { "active": true } });
    let words = list::all(visit, "list_items/index", &asked).await?;
    let mut options: Vec<(String, String)> = words.iter().map(option).collect();
    for slug in chosen.iter().filter(|slug| **slug != ALL) {
        if options.iter().all(|(known, _)| known != slug) {
            options.push(((*slug).to_owned(), format!("{slug} (switched off)")));
        }
    }
    Ok(options)
}

fn option(word: &Value) -> (String, String) {
    let (slug, name) = (text(word, "slug"), text(word, "name"));
    let words = match name == slug {
        true => slug.to_owned(),
        false => format!("{name} ({slug})"),
    };
    (slug.to_owned(), words)
}

pub(crate) fn router() -> Pages {
    Pages::new()
        .get("/list_items", first)
        .get("/list_items/{key}", index)
        .post("/list_items/{key}", create)
        .get("/list_items/{key}/new", new)
        .get("/list_items/{key}/{id}", edit)
        .post("/list_items/{key}/{id}", update)
}

async fn first(_: Visit) -> Answer {
    respond::see_other("/list_items/order_status")
}

/// What a vocabulary is called.
fn title(key: &str) -> Result<&'static str, Refusal> {
    let found = LISTS.iter().find(|(known, _)| *known == key);
    found.map(|(_, title)| *title).ok_or_else(Refusal::missing)
}

async fn index(
    visit: Visit,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Answer, Refusal> {
    let title = title(&key)?;
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("list_items/index")?;
    let mut asked = list::parameters(route, &query);
    asked["key"] = json!(key);
    let reply = visit.call("list_items/index", asked).await?;
    let words = reply.items();
    let path = format!("/list_items/{key}");
    let main = html! {
        div.head {
            h1 { (title) }
            div.actions {
                @for (other, title) in LISTS.iter().filter(|(other, _)| *other != key) { a.button href={ "/list_items/" (other) } { (title) } }
                @if visit.may(Access::Operators) { a.button.primary href={ (path) "/new" } { "New word" } }
            }
        }
        (list::bar(route, &path, &query, "slug or name"))
        @if words.is_empty() { div.empty { p { "No word is found." } } }
        @else {
            div.scroll { table.list {
                thead { tr { th scope="col" { "Word" } th scope="col" { "Name" } th scope="col" { "Meaning" } th scope="col" { "State" } } }
                tbody { @for word in &words { (row(&visit, &path, word)) } }
            } }
            (list::pager(&path, &query, &reply, words.len()))
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title,
        above: &[],
        main,
    }))
}

fn row(visit: &Visit, path: &str, word: &Value) -> Markup {
    let id = integer(word, "id").unwrap_or_default();
    html! { tr {
        td data-label="Word" {
            @if visit.may(Access::Operators) { a href={ (path) "/" (id) } { code { (text(word, "slug")) } } }
            @else { code { (text(word, "slug")) } }
        }
        td data-label="Name" { (text(word, "name")) }
        td data-label="Meaning" { (text(word, "description")) }
        td data-label="State" { @if is(word, "active") { span.state.good { "in use" } } @else { span.state.quiet { "switched off" } } }
    } }
}

async fn new(visit: Visit, Path(key): Path<String>) -> Result<Answer, Refusal> {
    visit.demand(Access::Operators)?;
    new_page(&visit, &key, None)
}

fn new_page(
    visit: &Visit,
    key: &str,
    sent: Option<(&Fields, &Refusal)>,
) -> Result<Answer, Refusal> {
    let path = format!("/list_items/{key}");
    let first = json!({ "active": true });
    let mut form = Form::new(visit.client.route("list_items/create")?, &path, "Add")
        .fields(["slug", "name", "description", "active"].map(field))
        .of_record(&first);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    form_page(visit, key, "New word", form, sent.is_some())
}

fn form_page(
    visit: &Visit,
    key: &str,
    words: &str,
    form: Form<'_>,
    is_refused: bool,
) -> Result<Answer, Refusal> {
    let main = html! { h1 { (words) } (form.draw(visit)) };
    let screen = Screen {
        visit,
        title: words,
        above: &[(title(key)?, format!("/list_items/{key}"))],
        main,
    };
    let status = match is_refused {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    Ok(respond::screen_with(status, &screen))
}

async fn create(Path(key): Path<String>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let names = ["slug", "name", "description", "active"];
    let route = visit.client.route("list_items/create")?;
    let mut asked = parameters(route, &names, &posted.fields, Empty::Absent);
    asked["key"] = json!(key);
    match visit.call("list_items/create", asked).await {
        Ok(_) => {
            let path = format!("/list_items/{key}");
            Ok(respond::done(visit, &path, "The word can be used."))
        }
        Err(refusal) if refusal.is_of_form() => {
            new_page(visit, &key, Some((&posted.fields, &refusal)))
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}

/// The word of that id. A vocabulary is short, and no route shows one word.
async fn found(visit: &Visit, key: &str, id: i64) -> Result<Value, Refusal> {
    let words = list::all(visit, "list_items/index", &json!({ "key": key })).await?;
    let found = words
        .into_iter()
        .find(|word| integer(word, "id") == Some(id));
    found.ok_or_else(Refusal::missing)
}

async fn edit(visit: Visit, Path((key, id)): Path<(String, i64)>) -> Result<Answer, Refusal> {
    visit.demand(Access::Operators)?;
    title(&key)?;
    edit_page(&visit, &key, id, None).await
}

async fn edit_page(
    visit: &Visit,
    key: &str,
    id: i64,
    sent: Option<(&Fields, &Refusal)>,
) -> Result<Answer, Refusal> {
    let word = found(visit, key, id).await?;
    let action = format!("/list_items/{key}/{id}");
    let mut form = Form::new(visit.client.route("list_items/update")?, &action, "Save")
        .fields([
            field("name").demanded(),
            field("description"),
            field("active"),
        ])
        .of_record(&word);
    if let Some((fields, refusal)) = sent {
        form = form.refused(fields, Some(refusal));
    }
    form_page(visit, key, text(&word, "slug"), form, sent.is_some())
}

async fn update(Path((key, id)): Path<(String, i64)>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let names = ["name", "description", "active"];
    let route = visit.client.route("list_items/update")?;
    let mut asked = parameters(route, &names, &posted.fields, Empty::Null);
    asked["id"] = json!(id);
    match visit.call("list_items/update", asked).await {
        Ok(_) => {
            let path = format!("/list_items/{key}");
            Ok(respond::done(visit, &path, "Saved."))
        }
        Err(refusal) if refusal.is_of_form() => {
            edit_page(visit, &key, id, Some((&posted.fields, &refusal))).await
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}
