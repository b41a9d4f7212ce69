//! What a route may answer.

use contract::{Field, Record, Route, Status, status};
use maud::{Markup, html};

use super::body::code;
use super::contents::anchor;
use crate::prose::prose;

/// The common responses, what success returns, and the uncommon ones.
pub(super) fn main(route: &Route) -> Markup {
    let (uncommon, common): (Vec<_>, Vec<_>) = route.statuses().partition(|one| one.uncommon);
    html! {
        section {
            h2 #responses { "Responses " (anchor("responses")) }
            @for status in common { (response(route, status)) }
        }
        section {
            h2 #uncommon { "Uncommon responses " (anchor("uncommon")) }
            p { "These are hardly ever met." }
            @for status in uncommon { (response(route, status)) }
        }
    }
}

fn response(route: &Route, status: &'static Status) -> Markup {
    let example = format!("{:#}", route.example_answer(status));
    let is_success = status == &status::ACTION_SUCCESSFUL;
    html! {
        article.response id={ "status-" (status.slug) } {
            h3 {
                code { (status.slug) } " "
                span.code-number.(class(status)) { (status.code) } " "
                (anchor(&format!("status-{}", status.slug)))
            }
            p { (prose(status.description)) }
            @if is_success { (data(route)) }
            details open[is_success] {
                summary { "Example" }
                (code(status.slug, "Answer", &example))
            }
        }
    }
}

fn class(status: &Status) -> &'static str {
    match status.code {
        200..=299 => "good",
        400..=499 => "refused",
        _ => "failed",
    }
}

fn data(route: &Route) -> Markup {
    let record = route.data.and_then(|shape| shape.record());
    html! {
        @if let Some(record) = record {
            details {
                summary { "What " code { "data" } " holds" }
                (fields(record, "", 0))
            }
        }
    }
}

/// How deep records within records are shown; none is deeper.
const DEPTH_MAX: usize = 4;

fn fields(record: &Record, place: &str, depth: usize) -> Markup {
    html! {
        dl.params.fields {
            @for field in record.fields() { (field_row(field, place, depth)) }
        }
    }
}

fn field_row(field: &Field, place: &str, depth: usize) -> Markup {
    let path = format!("{place}{}", field.name);
    let inner = field.shape.record().filter(|_| depth < DEPTH_MAX);
    html! {
        div.param {
            dt {
                code.name { (path) } " "
                span.type { (field.shape.name()) } " "
                @if field.nullable { span.quiet { "or null" } }
                @if field.optional { span.quiet { " may be absent" } }
            }
            dd {
                p { (prose(field.description)) }
                @if let Some(inner) = inner { (fields(inner, &format!("{path}."), depth + 1)) }
            }
        }
    }
}
