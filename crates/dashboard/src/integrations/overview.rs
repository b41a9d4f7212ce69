//! The overview of an integration: whether deliveries are healthy, in a sentence, in figures, and over time; which subscriptions are not well,
//! what waits, and what fails.

use axum::extract::RawQuery;
use maud::{Markup, html};
use serde_json::{Value, json};

use crate::list;
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::statistics::{self, Span, Statistics, Whose, number, time};
use crate::text::{integer, moment, text};
use crate::visit::Visit;
use crate::webhook_jobs;
use crate::webhook_out_subs::health::{self, Condition};

/// Jobs of the list of those that fail.
const ROWS: u32 = 8;
/// Subscriptions of the list of those that are not well; the others are on the page of all.
const SUBSCRIPTIONS_SHOWN: usize = 20;

pub(super) async fn show(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let span = Span::of(&query);
    let name = match &visit.integration {
        Some(integration) => integration.name.as_str(),
        None => "",
    };
    let mut statistics = statistics::read(&visit, span, Whose::All).await?;
    let subs = list::all(&visit, "webhook_out_subs/index", &json!({})).await?;
    let unwell = unwell(&visit, &subs);
    let waiting = Waiting::read(&visit).await?;
    statistics.note_waiting(waiting.count);
    let failing = json!({ "state": ["retrying", "exhausted"] });
    let asked = json!({ "filters": failing, "page": { "size": ROWS } });
    let failing = visit.call("webhook_jobs/index", asked).await?.items();
    let root = visit.root();
    let main = html! {
        div.head { h1 { (name) } (statistics::choice(&root, &query, span)) }
        section.verdict #verdict data-live { (verdict(&statistics, span, &unwell, subs.len())) }
        section #figures data-live { (figures(&root, &statistics, span, &waiting)) }
        section #statistics data-live { (statistics.draw(span)) }
        section #unwell data-live {
            h2 { "Subscriptions that need attention" }
            (subscriptions(&root, &unwell))
        }
        section #failing data-live {
            h2 { "Failing jobs" }
            @if failing.is_empty() { p.quiet { "Nothing is failing." } }
            @else { (webhook_jobs::table(&root, &failing)) }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: name,
        above: &[],
        main,
    }))
}

/// A subscription that is not well, and how it is.
type Unwell<'s> = (Condition, &'s Value);

/// The subscriptions that are not well, the worst first. Those that somebody switched off are as they should be.
fn unwell<'s>(visit: &Visit, subs: &'s [Value]) -> Vec<Unwell<'s>> {
    let now = health::now(visit);
    let conditions = subs.iter().map(|sub| (health::condition(sub, &now), sub));
    let mut unwell: Vec<Unwell<'s>> = conditions
        .filter(|(condition, _)| condition.needs_attention())
        .collect();
    unwell.sort_by_key(|(condition, _)| *condition);
    unwell
}

/// What waits, and what waits longest.
struct Waiting {
    count: u64,
    is_capped: bool,
    oldest: Option<Value>,
}

impl Waiting {
    async fn read(visit: &Visit) -> Result<Waiting, Refusal> {
        let asked = json!({
            "filters": { "state": ["pending", "retrying"] }, "sort": { "by": "id", "order": "asc" }, "count": true, "page": { "size": 1 }
        });
        let reply = visit.call("webhook_jobs/index", asked).await?;
        let (count, is_capped) = reply.count.unwrap_or_default();
        Ok(Waiting {
            count,
            is_capped,
            oldest: reply.items().into_iter().next(),
        })
    }
}

/// Whether deliveries are healthy.
fn verdict(statistics: &Statistics, span: Span, unwell: &[Unwell<'_>], subs: usize) -> Markup {
    let total = &statistics.total;
    let (class, word) = match unwell.first() {
        Some((condition, _)) if condition.is_off() => ("failed", "trouble"),
        Some(_) => ("refused", "trouble"),
        None if total.exhausted > 0 => ("refused", "trouble"),
        None if total.delivered == 0 => ("quiet", "quiet"),
        None => ("good", "healthy"),
    };
    let span = span.name();
    html! { p.lead {
        span class={ "state " (class) } { (word) } " "
        @match (unwell.len(), subs) {
            (_, 0) => "There is no subscription yet, so nothing is sent to anybody. ",
            (0, 1) => "The only subscription is well. ",
            (0, _) => { "All " (subs) " subscriptions are well. " },
            (count, _) => { strong { (count) " of " (subs) " subscriptions" } @if count == 1 { " needs attention. " } @else { " need attention. " } },
        }
        @match (total.delivered, total.failed) {
            (0, 0) => { "Nothing was sent in the last " (span) "." },
            (_, 0) => { "No attempt failed in the last " (span) "." },
            (_, 1) => { "One attempt failed in the last " (span) "." },
            (_, failed) => { (number(failed)) " attempts failed in the last " (span) "." },
        }
    } }
}

fn figures(root: &str, statistics: &Statistics, span: Span, waiting: &Waiting) -> Markup {
    let total = &statistics.total;
    let jobs = |states: &str| format!("{root}/webhook_jobs?{states}");
    let span = span.name();
    html! {
        ul.figures {
            li { a href=(jobs("state=delivered")) {
                span.label { "Delivered" } strong { (number(total.delivered)) } span.quiet { "in the last " (span) }
            } }
            li { a href=(jobs("state=retrying")) {
                span.label { "Failed attempts" } strong { (number(total.failed)) }
                span.quiet { (share(total.failed, total.delivered + total.failed)) " of all attempts; they are repeated" }
            } }
            li { a href=(jobs("state=exhausted")) {
                span.label { "Given up" } strong { (number(total.exhausted)) } span.quiet { "jobs in the last " (span) "; retry them by hand" }
            } }
            li { a href=(jobs("state=pending&state=retrying")) {
                span.label { "Waiting now" } strong { (number(waiting.count)) @if waiting.is_capped { "+" } }
                span.quiet { "jobs that are due, held, or will be repeated" }
            } }
            li { a href="#statistics" {
                span.label { "Time until delivered" }
                strong { @match total.delivery_time { Some(times) => (time(times.p50)), None => "–" } }
                span.quiet { @match total.delivery_time {
                    Some(times) => { "half of them; 95 % within " (time(times.p95)) }, None => "nothing was delivered",
                } }
            } }
        }
        @if let Some(oldest) = &waiting.oldest { p.oldest {
            "Waiting longest: " a href={ (root) "/webhook_jobs/" (integer(oldest, "id").unwrap_or_default()) } { "job #" (integer(oldest, "id").unwrap_or_default()) }
            " for " (text(oldest, "webhook_subscriber")) ", made " (moment(text(oldest, "created_at"))) "."
        } }
    }
}

/// How much this is of all, in percent.
fn share(part: u64, all: u64) -> String {
    match (part, part.saturating_mul(1_000) / all.max(1)) {
        (0, _) => "none".to_owned(),
        (_, 0) => "less than 0.1 %".to_owned(),
        (_, tenths) => format!("{}.{} %", tenths / 10, tenths % 10),
    }
}

fn subscriptions(root: &str, unwell: &[Unwell<'_>]) -> Markup {
    html! {
        @if unwell.is_empty() { p.quiet { "None: all that are switched on are well." } }
        @else {
            div.scroll { table.list {
                thead { tr { th scope="col" { "Subscription" } th scope="col" { "Health" } th scope="col" { "Trouble since" } th scope="col" { "What that means" } } }
                tbody { @for (condition, sub) in unwell.iter().take(SUBSCRIPTIONS_SHOWN) { tr {
                    td data-label="Subscription" {
                        a.shortened href={ (root) "/webhook_out_subs/" (integer(sub, "id").unwrap_or_default()) } { (text(sub, "name")) }
                    }
                    td data-label="Health" { (condition.badge()) }
                    td data-label="Trouble since" { (moment(health::trouble_since(sub))) }
                    td data-label="Meaning" { (condition.words(sub)) }
                } } }
            } }
            @if unwell.len() > SUBSCRIPTIONS_SHOWN {
                p { a href={ (root) "/webhook_out_subs" } { "All subscriptions" } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_to_a_tenth() {
        let cases = [
            (0, 0, "none"),
            (1, 2_000, "less than 0.1 %"),
            (25, 1_000, "2.5 %"),
            (7, 7, "100.0 %"),
        ];
        for (part, all, told) in cases {
            assert_eq!(share(part, all), told);
        }
    }
}
