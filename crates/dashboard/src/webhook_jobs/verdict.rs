//! A job's situation in plain words: what became of it, why, and what happens next.

use maud::{Markup, html};
use serde_json::Value;

use crate::text::{integer, is, moment, text};

/// One or two sentences.
pub(super) fn verdict(root: &str, job: &Value) -> Markup {
    let attempts = integer(job, "attempt_count").unwrap_or_default();
    let last = job["attempts"]
        .as_array()
        .and_then(|attempts| attempts.last());
    let why = last.map(reason).unwrap_or_default();
    html! {
        @match text(job, "state") {
            "delivered" => {
                "Delivered " (moment(text(job, "finished_at"))) ", at attempt " (attempts) "."
            },
            "delivering" => "It is being sent at this moment.",
            "pending" => (waiting(root, job)),
            "retrying" => {
                "Attempt " (attempts) " failed: " (why) ". "
                @match integer(job, "held_by") {
                    Some(_) => (waiting(root, job)),
                    None => { "It will be sent again " (moment(text(job, "next_attempt_at"))) "." },
                }
            },
            "exhausted" => { "Given up after " (attempts) " attempts. The last one failed: " (why) "." },
            "canceled" => "Withdrawn by hand; it was not delivered.",
            "superseded" => "A newer change of the order took its place; the subscription wants the latest only.",
            other => (other),
        }
        @if is(job, "cancel_requested") { " It was withdrawn while on its way: if this attempt fails, there will be no other." }
        @if is(job, "passed") { " Later jobs of the order were let past it, since the receiver itself refused this one." }
    }
}

fn waiting(root: &str, job: &Value) -> Markup {
    html! {
        @match integer(job, "held_by") {
            Some(id) => { "It waits for " a href={ (root) "/webhook_jobs/" (id) } { "job #" (id) } ", the earlier one of its order." },
            None => { "It is due " (moment(text(job, "next_attempt_at"))) "." },
        }
    }
}

/// Why an attempt did not do.
pub(super) fn reason(attempt: &Value) -> String {
    let message = text(attempt, "message").trim_end_matches('.');
    match integer(attempt, "status_code") {
        _ if !message.is_empty() => message.to_owned(),
        Some(code) => format!("the receiver answered {code}"),
        None => text(attempt, "fault").to_owned(),
    }
}
