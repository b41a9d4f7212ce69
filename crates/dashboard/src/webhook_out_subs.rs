//! Subscriptions: the list with their health, a subscription, and what can be done with it.

mod edit;
mod explain;
mod fields;
mod health;
mod new;
mod secret;
mod show;
mod switch;

use app::Access;
use axum::extract::RawQuery;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::list;
use crate::list_items::ALL;
use crate::pages::Pages;
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, text};
use crate::visit::Visit;

pub(crate) fn router() -> Pages {
    let subs = "/integrations/{integration_id}/webhook_out_subs";
    let one = format!("{subs}/{{id}}");
    Pages::new()
        .get(subs, index)
        .post(subs, new::create)
        .get(&format!("{subs}/new"), new::new)
        .get(&format!("{subs}/explain"), explain::explain)
        .get(&one, show::show)
        .get(&format!("{one}/edit"), edit::edit)
        .post(&format!("{one}/edit"), edit::update)
        .post(&format!("{one}/send_test"), switch::send_test)
        .post(&format!("{one}/secret"), secret::secret)
        .get(&format!("{one}/rotate_secret"), secret::rotate)
        .post(&format!("{one}/rotate_secret"), secret::rotated)
        .get(&format!("{one}/enable"), switch::enable)
        .post(&format!("{one}/enable"), switch::enabled)
        .post(&format!("{one}/disable"), switch::disable)
        .get(&format!("{one}/delete"), switch::delete)
        .post(&format!("{one}/delete"), switch::deleted)
}

/// The path of a subscription's page.
fn path_of(visit: &Visit, id: i64) -> String {
    format!("{}/webhook_out_subs/{id}", visit.root())
}

/// A subscription, as the API shows it.
async fn found(visit: &Visit, id: i64) -> Result<Value, Refusal> {
    let shown = visit.call("webhook_out_subs/show", json!({ "id": id }));
    Ok(shown.await?.value())
}

/// The pages above one that belongs to a subscription.
fn above(visit: &Visit, sub: &Value) -> [(&'static str, String); 2] {
    let id = integer(sub, "id").unwrap_or_default();
    [
        (
            "Subscriptions",
            format!("{}/webhook_out_subs", visit.root()),
        ),
        ("Subscription", path_of(visit, id)),
    ]
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("webhook_out_subs/index")?;
    let path = format!("{}/webhook_out_subs", visit.root());
    let reply = visit
        .call("webhook_out_subs/index", list::parameters(route, &query))
        .await?;
    let subs = reply.items();
    let now = health::now(&visit);
    let main = html! {
        div.head {
            h1 { "Subscriptions" }
            div.actions {
                a.button href={ (path) "/explain" } { "Who would hear of it?" }
                @if visit.may(Access::Menders) { a.button.primary href={ (path) "/new" } { "New subscription" } }
            }
        }
        (list::bar(route, &path, &query, "key, name or URL"))
        section #subscriptions data-live {
            @if subs.is_empty() {
                div.empty { p { "No subscription is found. One says which changes of orders are sent where." } }
            } @else {
                div.scroll { table.list {
                    thead { tr {
                        th scope="col" { "Subscription" } th scope="col" { "Health" } th scope="col" { "Trouble since" }
                        th scope="col" { "Callback URL" } th scope="col" { "Wants" }
                    } }
                    tbody { @for sub in &subs { (row(&path, sub, &now)) } }
                } }
                (list::pager(&path, &query, &reply, subs.len()))
            }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Subscriptions",
        above: &[],
        main,
    }))
}

fn row(path: &str, sub: &Value, now: &str) -> Markup {
    let id = integer(sub, "id").unwrap_or_default();
    html! { tr {
        td data-label="Subscription" {
            a.shortened href={ (path) "/" (id) } { (text(sub, "name")) } " " code.quiet { (text(sub, "key")) }
        }
        td data-label="Health" { (health::condition(sub, now).badge()) }
        td data-label="Trouble since" { (moment(health::trouble_since(sub))) }
        td data-label="Callback URL" { span.shortened { (text(sub, "callback_url")) } }
        td data-label="Wants" { (wants(sub)) }
    } }
}

/// How many words of each vocabulary it wants.
fn wants(sub: &Value) -> String {
    let of = |name: &str, one: &str, many: &str| {
        let words = sub[name].as_array().map_or(&[][..], Vec::as_slice);
        match words.len() {
            0 => None,
            _ if words.iter().any(|word| word == ALL) => Some(format!("all {many}")),
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        }
    };
    let wanted = [
        of("statuses", "status", "statuses"),
        of("events", "event", "events"),
    ];
    let wanted: Vec<String> = wanted.into_iter().flatten().collect();
    match wanted.is_empty() {
        true => "nothing".to_owned(),
        false => wanted.join(", "),
    }
}
