//! The attempts of a job: what came of each, how long its phases took, and what was answered.

use maud::{Markup, html};
use serde_json::Value;

use super::verdict::reason;
use crate::text::{duration, integer, is, moment, pretty, text};

/// The phases of an exchange in their order, with the words for them.
const PHASES: [(&str, &str); 4] = [
    ("resolve", "Resolving"),
    ("connect", "Connecting"),
    ("tls", "TLS"),
    ("first_byte", "Waiting for the answer"),
];
/// Width of the picture of the phases, in its own units.
const WIDTH: i64 = 1_000;

/// All of them, the newest first and open.
pub(super) fn list(attempts: &[Value]) -> Markup {
    html! {
        @if attempts.is_empty() { p.quiet { "None yet." } }
        @for (at, attempt) in attempts.iter().rev().enumerate() { (one(attempt, at == 0)) }
    }
}

fn one(attempt: &Value, is_open: bool) -> Markup {
    let number = integer(attempt, "number").unwrap_or_default();
    let outcome = text(attempt, "outcome");
    let (class, word) = match outcome {
        "delivered" => ("good", "accepted"),
        "job_fault" => ("failed", "this payload was refused"),
        "gone" => ("failed", "wants nothing more"),
        _ => ("refused", "endpoint at fault"),
    };
    html! {
        details.attempt open[is_open] {
            summary {
                strong { "Attempt " (number) } " "
                span class={ "state " (class) } {
                    @if let Some(code) = integer(attempt, "status_code") { (code) " " } (word)
                } " "
                (moment(text(attempt, "started_at"))) " "
                span.quiet { (duration(integer(&attempt["timing"], "total").unwrap_or_default())) }
            }
            @if outcome != "delivered" { p { (capitalised(&reason(attempt))) "." } }
            p.quiet { "POST " code { (text(attempt, "callback_url")) }
                @if !text(attempt, "address").is_empty() { " at " code { (text(attempt, "address")) } } }
            (timing(&attempt["timing"], number))
            (answer(attempt, number))
        }
    }
}

fn capitalised(sentence: &str) -> String {
    let mut signs = sentence.chars();
    signs.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(signs).collect()
    })
}

/// The phases as a bar, and as words.
fn timing(timing: &Value, number: i64) -> Markup {
    let total = integer(timing, "total").unwrap_or_default().max(1);
    let mut at = 0;
    let mut bars = Vec::new();
    for (name, words) in PHASES {
        if let Some(took) = integer(timing, name) {
            bars.push((
                name,
                words,
                at * WIDTH / total,
                (took * WIDTH / total).max(2),
                took,
            ));
            at += took;
        }
    }
    html! { @if !bars.is_empty() {
        svg.phases viewBox={ "0 0 " (WIDTH) " 12" } preserveAspectRatio="none" aria-hidden="true" {
            @for (name, _, x, width, _) in &bars { rect class=(name) x=(x) y="0" width=(width) height="12" {} }
        }
        ul.legend aria-label={ "Timing of attempt " (number) } {
            @for (name, words, _, _, took) in &bars { li { span class={ "key " (name) } {} (words) " " strong { (duration(*took)) } } }
        }
    } }
}

fn answer(attempt: &Value, number: i64) -> Markup {
    let headers = attempt["answer_headers"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let body = text(attempt, "answer_body");
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok();
    let shown = if is_json {
        pretty(body)
    } else {
        body.to_owned()
    };
    html! {
        @if integer(attempt, "status_code").is_some() {
            h4 { "Answer" }
            @if !headers.is_empty() {
                dl.headers { @for pair in headers {
                    dt { (pair[0].as_str().unwrap_or_default()) } dd { (pair[1].as_str().unwrap_or_default()) }
                } }
            }
            @if body.is_empty() { p.quiet { "No body." } }
            @else { (crate::documentation::code(&format!("answer-{number}"), "Body", &shown)) }
            @if is(attempt, "answer_body_truncated") { p.quiet { "The body went on; only its first bytes are kept." } }
        }
    }
}
