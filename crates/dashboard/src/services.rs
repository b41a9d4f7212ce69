//! Services and routes of the API: which answer, and switching them off and on.

use axum::extract::{Path, RawQuery};
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::form::button;
use crate::list;
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, moment, text};
use crate::visit::Visit;

const SERVICES: &str = "/services";
const ROUTES: &str = "/routes";

pub(crate) fn router() -> Pages {
    Pages::new()
        .get(SERVICES, services)
        .post("/services/{id}", switch_service)
        .get(ROUTES, routes)
        .post("/routes/{id}", switch_route)
}

async fn services(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let head = html! {
        div.head { h1 { "Services" } a.button href=(ROUTES) { "Routes" } }
        p { "A service is a noun of the API with its routes. Switched off, none of them answers, for these pages neither." }
    };
    let name = |record: &Value| {
        let key = text(record, "key");
        html! { a href={ (ROUTES) "?service=" (key) } { (key) } }
    };
    page(&visit, query, "Services", SERVICES, head, name).await
}

async fn routes(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let head = html! {
        div.head { h1 { "Routes" } a.button href=(SERVICES) { "Services" } }
        p { "What is switched off answers as if it did not exist, for these pages too." }
    };
    let name = |record: &Value| {
        html! { code { (text(record, "method")) " " (text(record, "service")) "/" (text(record, "action")) } }
    };
    page(&visit, query, "Routes", ROUTES, head, name).await
}

async fn page(
    visit: &Visit,
    query: Option<String>,
    title: &str,
    path: &str,
    head: Markup,
    name: impl Fn(&Value) -> Markup,
) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let index = format!("{}/index", path.trim_start_matches('/'));
    let route = visit.client.route(&index)?;
    let asked = list::parameters(route, &query);
    let reply = visit.call(&index, asked).await?;
    let records = reply.items();
    let main = html! {
        (head)
        (list::bar(route, path, &query, "name"))
        @if records.is_empty() { div.empty { p { "Nothing is found." } } }
        @else {
            div.scroll { table.list {
                thead { tr { th scope="col" { "Name" } th scope="col" { "State" } th scope="col" { "Switched last" } th scope="col" { "Switch" } } }
                tbody { @for record in &records { tr {
                    td data-label="Name" { (name(record)) }
                    td data-label="State" {
                        @if is(record, "deployed") { span.state.good { "deployed" } } @else { span.state.failed { "off" } }
                    }
                    td data-label="Switched last" { (moment(text(record, "updated_at"))) }
                    td data-label="Switch" { (switch(visit, path, record)) }
                } } }
            } }
            (list::pager(path, &query, &reply, records.len()))
        }
    };
    Ok(respond::screen(&Screen {
        visit,
        title,
        above: &[],
        main,
    }))
}

/// Switching off takes a second step, since programs rely on it.
fn switch(visit: &Visit, path: &str, record: &Value) -> Markup {
    let id = integer(record, "id").unwrap_or_default();
    let action = format!("{path}/{id}");
    html! {
        @if is(record, "deployed") {
            details {
                summary { "Switch off…" }
                p { "Programs that use it are refused at once." }
                (button(visit, &action, "Switch it off", "", &[("deployed", "false")]))
            }
        } @else { (button(visit, &action, "Switch on", "", &[("deployed", "true")])) }
    }
}

async fn switch_service(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    switched(&posted, "services/update", SERVICES, id).await
}

async fn switch_route(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    switched(&posted, "routes/update", ROUTES, id).await
}

async fn switched(posted: &Posted, route: &str, path: &str, id: i64) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let deployed = posted.fields.get("deployed") == "true";
    let asked = json!({ "id": id, "deployed": deployed });
    visit.call(route, asked).await?;
    let sentence = match deployed {
        true => "It answers again, on all servers within a second.",
        false => "It is off, on all servers within a second.",
    };
    Ok(respond::done(visit, path, sentence))
}
