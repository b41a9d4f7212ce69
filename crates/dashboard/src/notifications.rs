//! Notifications: what those who operate the server must know.

use axum::extract::{Path, RawQuery};
use futures_util::future::try_join_all;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::form::{button, label};
use crate::list;
use crate::pages::Pages;
use crate::posted::{Fields, Posted};
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{grouped, integer, moment, text};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/notifications";
/// Notifications that are marked side by side.
const MARKED_AT_ONCE: usize = 50;
/// Notifications that one form marks: it is answered within seconds.
const MARKED_MAX: usize = 2_000;

pub(crate) fn router() -> Pages {
    Pages::new()
        .get(PATH, index)
        .post("/notifications/{id}", mark)
        .post(PATH, mark_all)
}

/// How many are unread, for the navigation: counted by an index, and as far as the API counts.
pub(crate) async fn unread(visit: &Visit) -> u64 {
    let asked = json!({ "filters": { "read": false }, "count": true, "page": { "size": 1 } });
    let reply = visit.call("notifications/index", asked).await;
    // The route may be switched off; a page without the number is still one.
    let count = reply.ok().and_then(|reply| reply.count);
    count.map_or(0, |(count, _)| count)
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("notifications/index")?;
    let asked = list::parameters(route, &query);
    let reply = visit.call("notifications/index", asked).await?;
    let notifications = reply.items();
    let main = html! {
        div.head {
            h1 { "Notifications" }
            @if visit.unread > 0 { (button(&visit, PATH, "Mark all as read", "", &[])) }
        }
        (list::bar(route, PATH, &query, ""))
        section #notifications data-live {
            @if notifications.is_empty() { div.empty { p { "There is none." } } }
            @else {
                div.scroll { table.list {
                    thead { tr {
                        th scope="col" { "What" } th scope="col" { "In words" } th scope="col" { "Times" } th scope="col" { "Last" }
                        th scope="col" { "Read" }
                    } }
                    tbody { @for notification in &notifications { (row(&visit, notification)) } }
                } }
                (list::pager(PATH, &query, &reply, notifications.len()))
            }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Notifications",
        above: &[],
        main,
    }))
}

fn row(visit: &Visit, notification: &Value) -> Markup {
    let id = integer(notification, "id").unwrap_or_default();
    let place = (
        integer(notification, "integration_id"),
        integer(notification, "webhook_out_sub_id"),
    );
    let (words, read) = match text(notification, "read_at").is_empty() {
        true => ("Mark as read", "true"),
        false => ("Mark as unread", "false"),
    };
    html! { tr {
        td data-label="What" { strong { (label(text(notification, "kind"))) } }
        td data-label="In words" {
            span.shortened {
                (text(notification, "message"))
                @if let (Some(integration), Some(sub)) = place {
                    " " a href={ "/integrations/" (integration) "/webhook_out_subs/" (sub) } { "The subscription" }
                }
                @if !text(notification, "request_id").is_empty() { " " span.quiet { "Request " code { (text(notification, "request_id")) } } }
            }
        }
        td data-label="Times" { (grouped(integer(notification, "times").unwrap_or_default())) }
        td data-label="Last" { (moment(text(notification, "updated_at"))) }
        td data-label="Read" { (button(visit, &format!("{PATH}/{id}"), words, "", &[("read", read)])) }
    } }
}

/// Those that are there when it is sent; what comes later stays unread.
async fn mark_all(posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let asked = json!({ "filters": { "read": false }, "page": { "size": MARKED_AT_ONCE } });
    let mut marked = 0;
    while marked < MARKED_MAX {
        let unread = visit
            .call("notifications/index", asked.clone())
            .await?
            .items();
        let read = unread.iter().map(|notification| {
            let asked = json!({ "id": notification["id"], "read": true });
            visit.call("notifications/update", asked)
        });
        // Side by side, so that they share commits.
        try_join_all(read).await?;
        marked += unread.len();
        if unread.len() < MARKED_AT_ONCE {
            return Ok(respond::done(visit, PATH, "All are marked as read."));
        }
    }
    let sentence = format!(
        "{} are marked as read; there are more.",
        grouped(marked as i64)
    );
    Ok(respond::done(visit, PATH, &sentence))
}

async fn mark(Path(id): Path<i64>, posted: Posted) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let read = posted.fields.get("read") == "true";
    let asked = json!({ "id": id, "read": read });
    visit.call("notifications/update", asked).await?;
    let sentence = match read {
        true => "Marked as read.",
        false => "Marked as unread.",
    };
    Ok(respond::done(visit, PATH, sentence))
}
