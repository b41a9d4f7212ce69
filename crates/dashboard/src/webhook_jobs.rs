//! Webhook jobs: the list, a job, and what can be done with them.

mod attempts;
mod retry_many;
mod show;
mod verdict;

use axum::extract::RawQuery;
use maud::{Markup, html};
use serde_json::Value;

use crate::list;
use crate::pages::Pages;
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, moment, text};
use crate::visit::Visit;

pub(crate) fn router() -> Pages {
    let jobs = "/integrations/{integration_id}/webhook_jobs";
    Pages::new()
        .get(jobs, index)
        .get(&format!("{jobs}/retry_many"), retry_many::preview)
        .post(&format!("{jobs}/retry_many"), retry_many::begin)
        .get(&format!("{jobs}/recoveries/{{id}}"), retry_many::progress)
        .post(&format!("{jobs}/recoveries/{{id}}"), retry_many::stop)
        .get(&format!("{jobs}/{{id}}"), show::show)
        .post(&format!("{jobs}/{{id}}/retry"), show::retry)
        .post(&format!("{jobs}/{{id}}/cancel"), show::cancel)
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("webhook_jobs/index")?;
    let root = visit.root();
    let path = format!("{root}/webhook_jobs");
    let reply = visit
        .call("webhook_jobs/index", list::parameters(route, &query))
        .await?;
    let jobs = reply.items();
    let main = html! {
        div.head {
            h1 { "Jobs" }
            @if visit.may(app::Access::Menders) {
                a.button href=(list::address(&format!("{path}/retry_many"), &query, &[(list::SEARCH, "")])) { "Retry many…" }
            }
        }
        (list::bar(route, &path, &query, "order id, status, event, address, subscriber, URL"))
        section #jobs data-live {
            @if jobs.is_empty() {
                div.empty { p { "No job is found." } }
            } @else {
                (table(&root, &jobs))
                (list::pager(&path, &query, &reply, jobs.len()))
            }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Jobs",
        above: &[],
        main,
    }))
}

/// Whose jobs a table shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// Those of several subscriptions.
    All,
    /// Those of one, which each would name again.
    One,
}

/// Jobs, a line each.
pub(crate) fn table(root: &str, jobs: &[Value]) -> Markup {
    table_of(Of::All, root, jobs)
}

/// The same, of one subscription or of all.
pub(crate) fn table_of(of: Of, root: &str, jobs: &[Value]) -> Markup {
    html! { div.scroll { table.list {
        thead { tr {
            th scope="col" { "Job" } th scope="col" { "State" } th scope="col" { "What" } th scope="col" { "Order" }
            @if of == Of::All { th scope="col" { "Subscriber" } }
            th scope="col" { "Attempts" } th scope="col" { "Made" }
        } }
        tbody { @for job in jobs { (row(of, root, job)) } }
    } } }
}

fn row(of: Of, root: &str, job: &Value) -> Markup {
    let id = integer(job, "id").unwrap_or_default();
    html! { tr {
        td data-label="Job" { a href={ (root) "/webhook_jobs/" (id) } { "#" (id) } }
        td data-label="State" { (state(job)) }
        td data-label="What" { (what(job)) }
        td data-label="Order" { (order(root, job)) }
        @if of == Of::All { td data-label="Subscriber" { span.shortened { (text(job, "webhook_subscriber")) } } }
        td data-label="Attempts" {
            (integer(job, "attempt_count").unwrap_or_default())
            @if let Some(code) = integer(job, "status_code") { " " span.quiet { "· " (code) } }
        }
        td data-label="Made" { (moment(text(job, "created_at"))) }
    } }
}

/// The state as a badge.
pub(crate) fn state(job: &Value) -> Markup {
    badge(text(job, "state"))
}

/// A state's badge, by its name.
pub(crate) fn badge(state: &str) -> Markup {
    let class = match state {
        "delivered" => "good",
        "retrying" => "refused",
        "exhausted" => "failed",
        "delivering" => "busy",
        _ => "quiet",
    };
    html! { span class={ "state " (class) } { (state) } }
}

/// What a job tells of.
pub(crate) fn what(job: &Value) -> Markup {
    html! {
        @if !text(job, "event").is_empty() { span { (text(job, "event")) } }
        @else if !text(job, "status").is_empty() { span { (text(job, "status")) } }
        @if is(job, "test") { " " span.badge { "test" } }
    }
}

/// A link to the order of a job.
pub(crate) fn order(root: &str, job: &Value) -> Markup {
    let name = text(job, "external_order_id");
    html! {
        @match integer(job, "order_id") {
            Some(id) => a.shortened href={ (root) "/orders/" (id) } { @if name.is_empty() { "#" (id) } @else { (name) } },
            None => span.quiet { "–" },
        }
    }
}
