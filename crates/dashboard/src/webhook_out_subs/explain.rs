//! What a change would meet in the subscriptions, before there is one. Nothing is changed, so that the address holds it all.

use axum::extract::RawQuery;
use maud::{Markup, html};
use serde_json::Value;

use crate::form::{Empty, parameters};
use crate::list_items;
use crate::posted::Fields;
use crate::prose::prose;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, text};
use crate::visit::Visit;

const ROUTE: &str = "webhook_out_subs/explain";
const NAMES: [&str; 4] = ["stage", "event_slug", "order_id", "id"];
/// The box whose tick says that the order keeps its status.
const KEEPS_STATUS: &str = "keeps_status";

pub(super) async fn explain(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let path = format!("{}/webhook_out_subs", visit.root());
    let answer = answer(&visit, &query).await?;
    let statuses = list_items::options(&visit, "order_status", &[]).await?;
    let events = list_items::options(&visit, "order_event", &[]).await?;
    let main = html! {
        h1 { "Who would hear of it?" }
        p { "Say what happens to an order, and see which subscriptions would be sent it, and why. Nothing is changed, made or sent." }
        form.stack method="get" action={ (path) "/explain" } {
            (choice("stage", "Status that is reported", &statuses, query.get("stage"), true))
            (choice("event_slug", "Event that is reported", &events, query.get("event_slug"), false))
            div.field.tick {
                label for="field-keeps-status" {
                    input type="checkbox" id="field-keeps-status" name=(KEEPS_STATUS) value="true" checked[query.get(KEEPS_STATUS) == "true"];
                    " The order does not take the status: subscriptions are found by the event only"
                }
            }
            div.field {
                label for="field-order-id" { "Order that filters look at " span.quiet { "(optional)" } }
                p.help #field-order-id-help { "Its number here, as in the address of its page; a sample order when empty." }
                input id="field-order-id" name="order_id" type="number" value=(query.get("order_id")) aria-describedby="field-order-id-help";
            }
            @if !query.get("id").is_empty() { input type="hidden" name="id" value=(query.get("id")); }
            p.buttons { button.primary type="submit" { "Explain" } }
        }
        (answer)
    };
    let above = [("Subscriptions", path)];
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Who would hear of it?",
        above: &above,
        main,
    }))
}

/// What the API says of it; nothing where nothing was asked yet.
async fn answer(visit: &Visit, query: &Fields) -> Result<Markup, Refusal> {
    if query.get("stage").is_empty() {
        return Ok(html! {});
    }
    let mut asked = parameters(visit.client.route(ROUTE)?, &NAMES, query, Empty::Absent);
    asked["update_status"] = (query.get(KEEPS_STATUS) != "true").into();
    match visit.call(ROUTE, asked).await {
        Ok(reply) => Ok(trace(&visit.root(), &reply.items())),
        Err(refusal) if refusal.is_of_form() => Ok(html! {
            div.notice.bad role="alert" {
                p { (prose(&refusal.message)) }
                ul { @for fault in &refusal.errors { li { code { (fault.attr) } " " (fault.message) } } }
            }
        }),
        Err(refusal) => Err(refusal),
    }
}

fn trace(root: &str, traced: &[Value]) -> Markup {
    let is_met = |entry: &Value| text(entry, "verdict") == "matched";
    let met = traced.iter().filter(|entry| is_met(entry)).count();
    html! { section {
        h2 { (met) " of " (traced.len()) " would be sent it" }
        @if traced.is_empty() { p.quiet { "There is no subscription yet." } }
        ul.trace { @for entry in traced {
            li.met[is_met(entry)] {
                a href={ (root) "/webhook_out_subs/" (integer(entry, "webhook_out_sub_id").unwrap_or_default()) } { (text(entry, "key")) }
                " " @if is_met(entry) { span.state.good { "sent" } } @else { span.state.quiet { "not sent" } }
                " " (text(entry, "message"))
            }
        } }
    } }
}

fn choice(
    name: &str,
    label: &str,
    options: &[(String, String)],
    chosen: &str,
    is_required: bool,
) -> Markup {
    html! { div.field {
        label for={ "field-" (name) } { (label) @if !is_required { " " span.quiet { "(optional)" } } }
        select id={ "field-" (name) } name=(name) required[is_required] {
            option value="" { "–" }
            @for (value, words) in options { option value=(value) selected[value == chosen] { (words) } }
        }
    } }
}
