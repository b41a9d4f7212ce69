//! A job: what became of it and why, its payload, attempts and match trace; sending it again, and withdrawing it.

use app::Access;
use axum::extract::Path;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{attempts, badge, order, state, verdict, what};
use crate::documentation::code;
use crate::forgery;
use crate::posted::Posted;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, is, moment, pretty, text};
use crate::visit::Visit;

/// States in which nothing more will be sent.
const FINAL: [&str; 4] = ["delivered", "exhausted", "canceled", "superseded"];

/// The payload, its members in the order in which they are sent.
#[derive(Deserialize)]
struct Payload {
    payload: Option<Box<RawValue>>,
}

pub(super) async fn show(
    visit: Visit,
    Path((_, id)): Path<(String, i64)>,
) -> Result<Answer, Refusal> {
    let reply = visit.call("webhook_jobs/show", json!({ "id": id })).await?;
    let job = reply.value();
    let payload: Payload = reply.read()?;
    let trace = match integer(&job, "order_stage_id") {
        Some(stage) => Some(
            visit
                .call("order_stages/show", json!({ "id": stage }))
                .await?
                .value(),
        ),
        None => None,
    };
    let root = visit.root();
    let title = format!("Job #{id}");
    let above = [("Jobs", format!("{root}/webhook_jobs"))];
    let attempts = job["attempts"].as_array().map_or(&[][..], Vec::as_slice);
    let main = html! {
        div.head { h1 { (title) } (actions(&visit, &root, &job)) }
        section.verdict #verdict data-live {
            p { (state(&job)) " " (what(&job)) }
            p.lead { (verdict::verdict(&root, &job)) }
        }
        div.columns {
            section #attempts data-live { h2 { "Attempts" } (attempts::list(attempts)) }
            div {
                (facts(&root, &job))
                section {
                    h2 { "Payload" }
                    @match &payload.payload {
                        Some(json) => (code("payload", "JSON", &pretty(json.get()))),
                        None => p.quiet { "It was removed because of its age." },
                    }
                }
                @if let Some(stage) = &trace { section #trace data-live { (match_trace(&root, stage)) } }
            }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: &title,
        above: &above,
        main,
    }))
}

fn actions(visit: &Visit, root: &str, job: &Value) -> Markup {
    let is_final = FINAL.contains(&text(job, "state"));
    let path = format!(
        "{root}/webhook_jobs/{}",
        integer(job, "id").unwrap_or_default()
    );
    let button = |action: &str, words: &str, class: &str| {
        html! { form method="post" action={ (path) "/" (action) } {
            input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
            button class=(class) type="submit" { (words) }
        } }
    };
    html! { div.actions #actions data-live {
        (button("retry", if is_final { "Send again" } else { "Send now" }, "primary"))
        @if !is_final && visit.may(Access::Menders) { (button("cancel", "Withdraw", "")) }
    } }
}

fn facts(root: &str, job: &Value) -> Markup {
    let subscriber = text(job, "webhook_subscriber");
    let of_subscriber: String =
        url::form_urlencoded::byte_serialize(subscriber.as_bytes()).collect();
    html! { section {
        h2 { "Facts" }
        dl.facts {
            dt { "Order" } dd { (order(root, job)) }
            @if !text(job, "address").is_empty() { dt { "Address" } dd { (text(job, "address")) } }
            @if let Some(sequence) = integer(job, "sequence") { dt { "Stage" } dd { (sequence) ", " (text(job, "status")) } }
            dt { "Subscriber" } dd { a href={ (root) "/webhook_jobs?subscribers=" (of_subscriber) } { (subscriber) } }
            dt { "Callback URL" } dd { code { (text(job, "callback_url")) } }
            dt { "webhook-id" } dd { code { (text(job, "webhook_id")) } }
            dt { "Made" } dd { (moment(text(job, "created_at"))) }
            dt { "Finished" } dd { (moment(text(job, "finished_at"))) }
            @if let Some(id) = integer(job, "retry_of") { dt { "Repeats" } dd { a href={ (root) "/webhook_jobs/" (id) } { "#" (id) } } }
            @if !text(job, "payload_render_view_failed").is_empty() {
                dt { "Payload view" } dd { "failed, so the default was sent: " (text(job, "payload_render_view_failed")) }
            }
        }
    } }
}

/// Why the change made its jobs.
fn match_trace(root: &str, stage: &Value) -> Markup {
    html! {
        h2 { "Why it was made" }
        @match stage["match_trace"].as_array() {
            None => p.quiet { "The change was accepted before that was kept." },
            Some(traced) => ul.trace { @for entry in traced {
                li.met[text(entry, "verdict") == "matched"] {
                    strong { (text(entry, "key")) } " " (text(entry, "message"))
                    @if let Some(id) = integer(entry, "webhook_job_id") {
                        " → " a href={ (root) "/webhook_jobs/" (id) } { "#" (id) } " " (badge(text(entry, "webhook_job_state")))
                    }
                }
            } },
        }
    }
}

pub(super) async fn retry(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let jobs = format!("{}/webhook_jobs", visit.root());
    match visit.call("webhook_jobs/retry", json!({ "id": id })).await {
        Ok(reply) => {
            let retried = integer(&reply.value(), "id").unwrap_or(id);
            let sentence = match retried == id {
                true => "It is being sent now.".to_owned(),
                false => format!("It is sent again as this new job, which repeats job #{id}."),
            };
            Ok(respond::done(
                visit,
                &format!("{jobs}/{retried}"),
                &sentence,
            ))
        }
        Err(refusal) => refused(visit, refusal, &format!("{jobs}/{id}")),
    }
}

pub(super) async fn cancel(
    Path((_, id)): Path<(String, i64)>,
    posted: Posted,
) -> Result<Answer, Refusal> {
    let visit = &posted.visit;
    let path = format!("{}/webhook_jobs/{id}", visit.root());
    match visit.call("webhook_jobs/cancel", json!({ "id": id })).await {
        Ok(reply) if is(&reply.value(), "cancel_requested") => Ok(respond::done(
            visit,
            &path,
            "It is on its way; if this attempt fails, there will be no other.",
        )),
        Ok(_) => Ok(respond::done(visit, &path, "It was withdrawn.")),
        Err(refusal) => refused(visit, refusal, &path),
    }
}

/// Says on the job's page why something cannot be done with it; a job that is missing has none.
fn refused(visit: &Visit, refusal: Refusal, path: &str) -> Result<Answer, Refusal> {
    let told = refusal
        .errors
        .iter()
        .find(|fault| fault.message != app::DOES_NOT_EXIST);
    match told {
        Some(fault) => {
            let sentence = format!("Not done: the job {}.", fault.message);
            Ok(respond::done(visit, path, &sentence))
        }
        None => Err(refusal),
    }
}
