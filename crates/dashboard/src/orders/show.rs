//! An order: what is known of it, and its stages in their sequence, each with the jobs that tell of it.

use axum::extract::Path;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::name;
use crate::documentation::code;
use crate::form::label;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, pretty, text};
use crate::visit::Visit;
use crate::webhook_jobs::state;

/// Stages and jobs that are shown; longer histories are in the lists.
const ROWS: u32 = 200;
/// Members that are not facts of their own, or stand above.
const NOT_SHOWN: [&str; 6] = [
    "id",
    "integration_id",
    "external_order_id",
    "status",
    "created_at",
    "updated_at",
];

pub(super) async fn show(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    let order = visit
        .call("orders/show", json!({ "id": id }))
        .await?
        .value();
    let of_order = json!({ "filters": { "order_id": [id] }, "page": { "size": ROWS } });
    let stages = visit.call("order_stages/index", of_order.clone()).await?;
    let jobs = visit.call("webhook_jobs/index", of_order).await?.items();
    let root = visit.root();
    let title = format!("Order {}", name(&order));
    let above = [("Orders", format!("{root}/orders"))];
    let main = html! {
        h1 { (title) }
        p.lead { (text(&order, "status")) @if !text(&order["address"], "street").is_empty() { " · " (text(&order["address"], "street")) } }
        p.quiet { "First heard of " (moment(text(&order, "created_at"))) ", changed " (moment(text(&order, "updated_at"))) }
        div.columns {
            section #timeline data-live {
                h2 { "Timeline" }
                ol.timeline { @for stage in stages.items() { (entry(&root, &stage, &jobs)) } }
                @if stages.next.is_some() || jobs.len() == ROWS as usize {
                    p { a href={ (root) "/webhook_jobs?order_id=" (id) } { "All jobs of this order" } }
                }
            }
            section { h2 { "What is known" } (facts(&order)) }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: &title,
        above: &above,
        main,
    }))
}

/// A stage with its jobs.
fn entry(root: &str, stage: &Value, jobs: &[Value]) -> Markup {
    let id = integer(stage, "id");
    let own: Vec<&Value> = jobs
        .iter()
        .filter(|job| integer(job, "order_stage_id") == id)
        .collect();
    html! { li {
        p { strong { (text(stage, "stage")) }
            @if !text(stage, "event_slug").is_empty() { " " span.badge { (text(stage, "event_slug")) } } }
        p.quiet { "Stage " (integer(stage, "sequence").unwrap_or_default()) ", " (moment(text(stage, "stage_at"))) }
        @if own.is_empty() { p.quiet { "No subscription wanted it." } }
        @else { ul.jobs { @for job in own.iter().rev() {
            @let job_id = integer(job, "id").unwrap_or_default();
            li { a href={ (root) "/webhook_jobs/" (job_id) } { "#" (job_id) } " " (text(job, "webhook_subscriber")) " " (state(job)) }
        } } }
    } }
}

fn facts(order: &Value) -> Markup {
    let empty = Map::new();
    let members = order.as_object().unwrap_or(&empty);
    let shown: Vec<_> = members
        .iter()
        .filter(|(name, value)| !value.is_null() && !NOT_SHOWN.contains(&name.as_str()))
        .collect();
    html! {
        dl.facts { @for (name, value) in shown.iter().filter(|(_, value)| !value.is_object() && !value.is_array()) {
            dt { (label(name)) } dd { (value.as_str().map_or_else(|| value.to_string(), str::to_owned)) }
        } }
        @for (name, value) in shown.iter().filter(|(_, value)| value.is_object() || value.is_array()) {
            (code(name, &label(name), &pretty(&value.to_string())))
        }
    }
}
