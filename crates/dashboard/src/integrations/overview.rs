//! The overview of an integration: how many jobs are in which state, what failed last, and what waits longest.

use axum::response::IntoResponse;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::grouped;
use crate::visit::Visit;
use crate::webhook_jobs;

/// States that people look for, with what they mean.
const STATES: [(&str, &str, &str); 4] = [
    (
        "pending",
        "Waiting",
        "due soon, or held by an earlier job of their order",
    ),
    ("retrying", "Retrying", "failed so far; will be sent again"),
    (
        "exhausted",
        "Given up",
        "failed for good; retry them by hand",
    ),
    ("delivered", "Delivered", "accepted by their receivers"),
];
/// Jobs of each list.
const ROWS: u32 = 8;

pub(super) async fn show(visit: Visit) -> Answer {
    match page(&visit).await {
        Ok(main) => {
            let title = visit
                .integration
                .as_ref()
                .map_or("", |integration| &integration.name);
            respond::screen(&Screen {
                visit: &visit,
                title,
                above: &[],
                main,
            })
        }
        Err(refusal) => refusal.into_response(),
    }
}

async fn page(visit: &Visit) -> Result<Markup, Refusal> {
    let name = visit
        .integration
        .as_ref()
        .map_or("", |integration| &integration.name);
    let mut figures = Vec::new();
    for (state, label, about) in STATES {
        let asked =
            json!({ "filters": { "state": [state] }, "count": true, "page": { "size": 1 } });
        let reply = visit.call("webhook_jobs/index", asked).await?;
        figures.push((state, label, about, reply.count.unwrap_or_default()));
    }
    let failing = jobs(visit, json!({ "state": ["retrying", "exhausted"] })).await?;
    let newest = jobs(visit, json!({})).await?;
    let root = visit.root();
    Ok(html! {
        h1 { (name) }
        section #figures data-live {
            ul.figures { @for (state, label, about, (count, capped)) in &figures {
                li { a href={ (root) "/webhook_jobs?state=" (state) } {
                    span.label { (label) }
                    strong { (grouped((*count).try_into().unwrap_or(i64::MAX))) @if *capped { "+" } }
                    span.quiet { (about) }
                } }
            } }
        }
        section #failing data-live {
            h2 { "Failing" }
            @if failing.is_empty() { p.quiet { "Nothing is failing." } }
            @else { (webhook_jobs::table(&root, &failing)) }
        }
        section #newest data-live {
            h2 { "Newest" }
            @if newest.is_empty() { p.quiet { "No job was made yet: jobs come from changes of orders that a subscription wants." } }
            @else { (webhook_jobs::table(&root, &newest)) }
        }
    })
}

async fn jobs(visit: &Visit, filters: Value) -> Result<Vec<Value>, Refusal> {
    let asked = json!({ "filters": filters, "page": { "size": ROWS } });
    Ok(visit.call("webhook_jobs/index", asked).await?.items())
}
