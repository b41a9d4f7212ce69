//! Integrations: the first page, all of them, a new one, and the overview of one.

mod overview;

use app::Access;
use axum::extract::RawQuery;
use axum::response::IntoResponse;
use http::StatusCode;
use maud::{Markup, html};
use serde_json::Value;

use crate::form::{Empty, Form, field, parameters};
use crate::list;
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::statistics::{self, Span, Statistics, Whose, number, time};
use crate::text::{integer, moment, text};
use crate::visit::Visit;

/// The fields of a new integration.
const FIELDS: [&str; 2] = ["name", "key"];

pub(crate) fn router() -> Pages {
    Pages::new()
        .get("/", first)
        .get("/integrations", index)
        .post("/integrations", create)
        .get("/integrations/new", new)
        .get("/integrations/{integration_id}", overview::show)
}

/// Leads to the integration that was looked at last, or the only one, or to all.
async fn first(visit: Visit) -> Answer {
    let remembered = visit.remembered_integration;
    let known = |id: i64| visit.menu.iter().any(|integration| integration.id == id);
    let id = match remembered.filter(|id| known(*id)) {
        Some(id) => Some(id),
        None => visit
            .menu
            .first()
            .filter(|_| visit.menu.len() == 1)
            .map(|only| only.id),
    };
    match id {
        Some(id) => respond::see_other(&format!("/integrations/{id}")),
        None => respond::see_other("/integrations"),
    }
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("integrations/index")?;
    let mut parameters = list::parameters(route, &query);
    parameters["count"] = true.into();
    let reply = visit.call("integrations/index", parameters).await?;
    let integrations = reply.items();
    let statistics = of_each(&visit, &integrations).await?;
    let main = html! {
        div.head {
            h1 { "Integrations" }
            @if visit.may(Access::Operators) { a.button.primary href="/integrations/new" { "New integration" } }
        }
        (list::bar(route, "/integrations", &query, "key or name"))
        @if integrations.is_empty() {
            (none(&visit, !query.get(list::SEARCH).is_empty()))
        } @else {
            section #integrations data-live {
                (all_of_them(&statistics))
                div.scroll { table.list {
                    thead { tr {
                        th scope="col" { "Name" } th scope="col" { "Key" } th scope="col" { "Delivered in a day" } th scope="col" { "Failed attempts" }
                        th scope="col" { "Given up" } th scope="col" { "Time until delivered" } th scope="col" { "Made" }
                    } }
                    tbody { @for (integration, statistics) in integrations.iter().zip(&statistics) { (row(integration, statistics)) } }
                } }
            }
            (list::pager("/integrations", &query, &reply, integrations.len()))
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Integrations",
        above: &[],
        main,
    }))
}

/// How deliveries of each went in the last day.
async fn of_each(visit: &Visit, integrations: &[Value]) -> Result<Vec<Statistics>, Refusal> {
    let mut each = Vec::with_capacity(integrations.len());
    for integration in integrations {
        let whose = Whose::Integration(integer(integration, "id").unwrap_or_default());
        each.push(statistics::read(visit, Span::Day, whose).await?);
    }
    Ok(each)
}

/// The deliveries of all that are shown, where they are several.
fn all_of_them(statistics: &[Statistics]) -> Markup {
    let mut each = statistics.iter().cloned();
    let first = each.next().filter(|_| statistics.len() > 1);
    let sum = first.map(|first| {
        each.fold(first, |mut sum, one| {
            sum.add(&one);
            sum
        })
    });
    html! { @if let Some(sum) = sum { div.plots { (sum.deliveries(Span::Day)) } } }
}

fn row(integration: &Value, statistics: &Statistics) -> Markup {
    let total = &statistics.total;
    let path = format!(
        "/integrations/{}",
        integer(integration, "id").unwrap_or_default()
    );
    html! { tr {
        td data-label="Name" { a href=(path) { (text(integration, "name")) } }
        td data-label="Key" { code { (text(integration, "key")) } }
        td data-label="Delivered" { (number(total.delivered)) }
        td data-label="Failed" { (number(total.failed)) }
        td data-label="Given up" { @if total.exhausted > 0 { strong.failed { (number(total.exhausted)) } } @else { "0" } }
        td data-label="Time" { @match total.delivery_time {
            Some(times) => { (time(times.p50)) span.quiet { ", 95 %: " (time(times.p95)) } }, None => span.quiet { "–" },
        } }
        td data-label="Made" { (moment(text(integration, "created_at"))) }
    } }
}

fn none(visit: &Visit, is_searched: bool) -> Markup {
    html! { div.empty {
        @if is_searched { p { "No integration is found." } }
        @else if visit.may(Access::Operators) {
            p { "There is none yet. An integration holds the orders, subscriptions and jobs of one partner." }
        } @else {
            p { "You are not scoped to any integration yet. Ask whoever manages one for an invitation." }
        }
    } }
}

async fn new(visit: Visit) -> Result<Answer, Refusal> {
    if !visit.may(Access::Operators) {
        return Err(Refusal::new(&contract::status::PERMISSION_DENIED));
    }
    Ok(respond::screen(&new_screen(
        &visit,
        &Fields::default(),
        None,
    )?))
}

fn new_screen<'v>(
    visit: &'v Visit,
    sent: &Fields,
    refusal: Option<&Refusal>,
) -> Result<Screen<'v>, Refusal> {
    let form = Form::new(
        visit.client.route("integrations/create")?,
        "/integrations",
        "Create",
    )
    .fields(FIELDS.map(field))
    .refused(sent, refusal);
    let main = html! { h1 { "New integration" } (form.draw(visit)) };
    Ok(Screen {
        visit,
        title: "New integration",
        above: &[],
        main,
    })
}

async fn create(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let route = visit.client.route("integrations/create")?;
    let parameters = parameters(route, &FIELDS, &posted.fields, Empty::Absent);
    match visit.call("integrations/create", parameters).await {
        Ok(reply) => {
            let id = integer(&reply.value(), "id").unwrap_or_default();
            Ok(respond::done(
                visit,
                &format!("/integrations/{id}"),
                "The integration was made.",
            ))
        }
        Err(refusal) if refusal.is_of_form() => {
            let screen = new_screen(visit, &posted.fields, Some(&refusal))?;
            Ok(respond::screen_with(StatusCode::BAD_REQUEST, &screen))
        }
        Err(refusal) => Ok(refusal.into_response()),
    }
}
