//! A subscription: how it is and what to do, its jobs, and its settings.

use app::Access;
use axum::extract::Path;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::{found, health, path_of};
use crate::form::button;
use crate::list_items::ALL;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, moment, text};
use crate::visit::Visit;
use crate::webhook_jobs::{self, Of};

/// Jobs of each list.
const ROWS: u32 = 5;

pub(super) async fn show(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    let sub = found(&visit, id).await?;
    let root = visit.root();
    let failing = jobs(&visit, &sub, &["retrying", "exhausted"]).await?;
    let newest = jobs(&visit, &sub, &[]).await?;
    let name = text(&sub, "name");
    let main = html! {
        div.head { h1.shortened { (name) } (actions(&visit, &sub)) }
        section.verdict #health data-live { (situation(&visit, &sub)) }
        div.columns {
            div {
                section #failing data-live { (list(&root, &sub, "Failing", &failing, "&state=retrying&state=exhausted")) }
                section #newest data-live { (list(&root, &sub, "Newest jobs", &newest, "")) }
            }
            div { (wanted(&root, &sub)) (settings(&sub)) (secret(&visit, &sub)) }
        }
    };
    let above = [("Subscriptions", format!("{root}/webhook_out_subs"))];
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: name,
        above: &above,
        main,
    }))
}

async fn jobs(visit: &Visit, sub: &Value, states: &[&str]) -> Result<Vec<Value>, Refusal> {
    let mut filters = json!({ "subscribers": [sub["key"]] });
    if !states.is_empty() {
        filters["state"] = json!(states);
    }
    let asked = json!({ "filters": filters, "page": { "size": ROWS } });
    Ok(visit.call("webhook_jobs/index", asked).await?.items())
}

fn situation(visit: &Visit, sub: &Value) -> Markup {
    let condition = health::condition(sub, &health::now(visit));
    let is_empty = |name: &str| sub[name].as_array().is_none_or(Vec::is_empty);
    html! {
        p { (condition.badge()) " " code { (text(sub, "key")) } }
        p.lead { (condition.words(sub)) }
        @if let Some(advice) = condition.advice() { p { strong { "What to do: " } (advice) } }
        @if is_empty("statuses") && is_empty("events") {
            p { strong { "It wants nothing: " } "neither statuses nor events are chosen, so no change is ever sent." }
        }
    }
}

fn actions(visit: &Visit, sub: &Value) -> Markup {
    let path = path_of(visit, integer(sub, "id").unwrap_or_default());
    let is_off = health::condition(sub, &health::now(visit)).is_off();
    html! { @if visit.may(Access::Menders) { div.actions #actions data-live {
        (button(visit, &format!("{path}/send_test"), "Send a test", "primary", &[]))
        a.button href={ (path) "/edit" } { "Change" }
        @if is_off { a.button href={ (path) "/enable" } { "Switch on…" } }
        @else { (button(visit, &format!("{path}/disable"), "Switch off", "", &[])) }
        a.button href={ (path) "/delete" } { "Delete…" }
    } } }
}

fn list(root: &str, sub: &Value, title: &str, jobs: &[Value], states: &str) -> Markup {
    let key = text(sub, "key").as_bytes();
    let key: String = url::form_urlencoded::byte_serialize(key).collect();
    html! {
        h2 { (title) }
        @if jobs.is_empty() { p.quiet { "There is none." } }
        @else {
            (webhook_jobs::table_of(Of::One, root, jobs))
            p { a href={ (root) "/webhook_jobs?subscribers=" (key) (states) } { "All of them" } }
        }
    }
}

fn wanted(root: &str, sub: &Value) -> Markup {
    let words = |name: &str| sub[name].as_array().cloned().unwrap_or_default();
    html! { section {
        h2 { "What it wants" }
        dl.facts {
            @for (name, label) in [("statuses", "Statuses"), ("events", "Events")] {
                dt { (label) }
                dd {
                    @if words(name).is_empty() { span.quiet { "none" } }
                    @for word in words(name) { @if word == ALL { "all " } @else { code { (word.as_str().unwrap_or_default()) } " " } }
                }
            }
            @if !text(sub, "filter").is_empty() { dt { "Filter" } dd { code { (text(sub, "filter")) } } }
        }
        p { a href={ (root) "/webhook_out_subs/explain?id=" (integer(sub, "id").unwrap_or_default()) } { "Would it hear of a change?" } }
    } }
}

fn settings(sub: &Value) -> Markup {
    let policy = &sub["retry_policy"];
    let waits: Vec<&str> = policy["schedule"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let rate = &sub["rate_limit"];
    let or = |name: &str, usual: &str| match integer(sub, name) {
        Some(number) => number.to_string(),
        None => usual.to_owned(),
    };
    let word = |name: &str, usual: &'static str| match text(sub, name) {
        "" => usual.to_owned(),
        word => word.to_owned(),
    };
    html! { section {
        h2 { "How it is delivered to" }
        dl.facts {
            dt { "Callback URL" } dd { code { (text(sub, "callback_url")) } }
            dt { "Payload" } dd { (text(sub, "version")) ", " (word("payload_render_view", "the version's own view")) }
            dt { "Ordering" } dd { (text(sub, "ordering")) @if is(sub, "supersede") { ", newest state only" } }
            dt { "Delivered by" } dd { (word("success_code", "any 2XX")) }
            dt { "Attempts" } dd {
                @if waits.is_empty() { "as the server is set" }
                @else { "again after " (waits.join(", ")) "; given up after " (text(policy, "give_up_after")) }
            }
            dt { "Time-out" } dd { (or("timeout_seconds", "as the server is set")) @if integer(sub, "timeout_seconds").is_some() { " s" } }
            dt { "Requests at once" } dd { (or("max_in_flight", "as many as usual")) }
            dt { "Rate" } dd {
                @if rate.is_null() { "as they come" }
                @else { (rate["per_second"]) " a second, " (rate["burst"]) " at once" }
            }
            dt { "Told of trouble" } dd { (word("notification_emails", "nobody")) @if !is(sub, "notify") { span.quiet { " (not told)" } } }
            dt { "Made" } dd { (moment(text(sub, "created_at"))) }
            dt { "Changed" } dd { (moment(text(sub, "updated_at"))) }
        }
        @if sub["headers"].as_array().is_some_and(|headers| !headers.is_empty()) {
            h3 { "Headers" }
            dl.headers { @for header in sub["headers"].as_array().into_iter().flatten() {
                dt { (text(header, "name")) } dd { (text(header, "value")) }
            } }
        }
    } }
}

fn secret(visit: &Visit, sub: &Value) -> Markup {
    let path = path_of(visit, integer(sub, "id").unwrap_or_default());
    html! { section {
        h2 { "Signature" }
        p { "Each request is signed, so that its receiver can tell that it is ours."
            @if is(sub, "asymmetric_signature") { " Anybody can verify it with the public key." } }
        @if !text(sub, "public_key").is_empty() { (crate::documentation::code("public_key", "Public key (v1a)", text(sub, "public_key"))) }
        @if visit.may(Access::Menders) { div.actions {
            (button(visit, &format!("{path}/secret"), "Show the secret", "", &[]))
            a.button href={ (path) "/rotate_secret" } { "Replace the secret…" }
        } }
    } }
}
