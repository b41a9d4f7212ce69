//! Audit events: who changed what, when, and what was different after it.

use axum::extract::RawQuery;
use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::form::label;
use crate::list;
use crate::pages::Pages;
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, text};
use crate::visit::Visit;

const PATH: &str = "/audit_events";
/// Longest value that is shown whole, in signs: fifty changes must fit into a page.
const VALUE_CHARS_MAX: usize = 160;
/// Most members of a record that are shown.
const MEMBERS_MAX: usize = 8;

pub(crate) fn router() -> Pages {
    Pages::new().get(PATH, index)
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("audit_events/index")?;
    let asked = list::parameters(route, &query);
    let reply = visit.call("audit_events/index", asked).await?;
    let events = reply.items();
    let main = html! {
        h1 { "Audit events" }
        p { "Every change of a record, with who made it. Secrets and the contents of orders are left out." }
        (list::bar(route, PATH, &query, ""))
        section #audit_events data-live {
            @if events.is_empty() { div.empty { p { "No change is found." } } }
            @else {
                div.scroll { table.list {
                    thead { tr {
                        th scope="col" { "When" } th scope="col" { "Who" } th scope="col" { "What" } th scope="col" { "Different after it" }
                    } }
                    tbody { @for event in &events { (row(event)) } }
                } }
                (list::pager(PATH, &query, &reply, events.len()))
            }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Audit events",
        above: &[],
        main,
    }))
}

fn row(event: &Value) -> Markup {
    let changes = changes(&event["before"], &event["after"]);
    html! { tr {
        td data-label="When" { (moment(text(event, "created_at"))) }
        td data-label="Who" { (actor(&event["actor"])) }
        td data-label="What" { strong { (label(text(event, "action"))) } " " (record(event)) }
        td data-label="Different after it" {
            @if changes.is_empty() { span.quiet { "–" } }
            @else { details {
                summary { (changes.len()) @if changes.len() == 1 { " member" } @else { " members" } }
                dl.headers { @for (name, before, after) in changes.iter().take(MEMBERS_MAX) {
                    dt { (name) }
                    dd { @if !before.is_empty() { del { (before) } " " } @if !after.is_empty() { ins { (after) } } }
                } }
                @if changes.len() > MEMBERS_MAX { p.quiet { "and " (changes.len() - MEMBERS_MAX) " more" } }
            } }
        }
    } }
}

fn actor(actor: &Value) -> Markup {
    html! {
        @if let Some(id) = integer(actor, "user") { a href={ "/users/" (id) } { "user " (id) } }
        @else if let Some(id) = integer(actor, "application") { a href={ "/applications/" (id) } { "application " (id) } }
        @else if !text(actor, "portal").is_empty() { (text(actor, "portal")) " " span.quiet { "by a link into the portal" } }
        @else { (label(actor.as_str().unwrap_or_default())) }
    }
}

/// The record, with the way to its page where it has one.
fn record(event: &Value) -> Markup {
    let (noun, id) = (
        text(event, "noun"),
        integer(event, "record_id").unwrap_or_default(),
    );
    let path = match (noun, integer(event, "integration_id")) {
        ("webhook_out_sub", Some(integration)) => {
            format!("/integrations/{integration}/webhook_out_subs/{id}")
        }
        ("integration", _) => format!("/integrations/{id}"),
        ("user", _) => format!("/users/{id}"),
        ("application", _) => format!("/applications/{id}"),
        _ => String::new(),
    };
    let words = label(noun).to_lowercase();
    html! {
        @if path.is_empty() { (words) " " (id) } @else { a href=(path) { (words) " " (id) } }
    }
}

/// The members that differ, with what they were and are.
fn changes(before: &Value, after: &Value) -> Vec<(String, String, String)> {
    let none = Map::new();
    let (before, after) = (
        before.as_object().unwrap_or(&none),
        after.as_object().unwrap_or(&none),
    );
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    let names = after.keys().chain(gone);
    let differs = |name: &&String| before.get(*name) != after.get(*name) && *name != "updated_at";
    names
        .filter(differs)
        .map(|name| {
            (
                name.clone(),
                shown(before.get(name)),
                shown(after.get(name)),
            )
        })
        .collect()
}

fn shown(value: Option<&Value>) -> String {
    let whole = match value {
        None => return String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    match whole.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &whole[..end]),
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_differs_is_told() {
        let before = json!({ "name": "A", "active": true, "old": 1, "updated_at": "x" });
        let after = json!({ "name": "B", "active": true, "updated_at": "y" });
        let told = |name: &str, before: &str, after: &str| {
            (name.to_owned(), before.to_owned(), after.to_owned())
        };
        assert_eq!(
            changes(&before, &after),
            [told("name", "A", "B"), told("old", "1", "")]
        );
        assert_eq!(
            changes(&Value::Null, &json!({ "a": null })),
            [told("a", "", "null")]
        );
        let long = json!("ä".repeat(VALUE_CHARS_MAX + 1));
        assert_eq!(shown(Some(&long)).chars().count(), VALUE_CHARS_MAX + 1);
    }
}
