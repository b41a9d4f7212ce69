//! The first page of the reference: how requests look, and what holds for all routes.

use contract::status::{AUTHENTICATED, COMMON, PARTICULAR};
use maud::{Markup, html};

use super::body::code;
use super::contents::anchor;
use super::{Service, contents};
use crate::prose::prose;

/// What is said of all routes: heading, anchor, paragraphs.
const CHAPTERS: &[(&str, &str, &[&str])] = &[
    (
        "Requests",
        "requests",
        &[
            "Parameters travel in the body, ids included: a JSON object with `Content-Type: application/json`. \
             Routes with sensitive parameters take the same object as base64 with `Content-Type: text/plain`.",
            "Types are strict, nothing is trimmed, and a parameter that a route does not know is refused with the \
             nearest name that it does. Times are RFC 3339 in UTC; numbers are those that 64 bits hold, in free \
             JSON too. For an optional parameter of a create, `null` is \
             as if it were absent; in an update absent means unchanged and `null` clears. The number beside a \
             parameter is its position in this reference, not a limit.",
        ],
    ),
    (
        "Tokens",
        "tokens",
        &[
            "`token` is that of an application (`pra_…`, made with `postrider application create` or \
             `applications/create`) or of a session (`prs_…`, made with `sessions/create`). The header \
             `Authorization: Bearer …` is accepted in its place.",
            "A session ends seven days after it began or 72 hours after its last use, unless its user has saved \
             `remember_me`. What a caller may not see looks like what does not exist.",
        ],
    ),
    (
        "Answers",
        "answers",
        &[
            "Every answer is a JSON object whose `code` equals the HTTP status and whose `status` says exactly what \
             became of the request. What was asked for is under `data`; an error has a `message`, and `errors` \
             names every parameter that is missing, or every one that is bad, nested as `filters.status[2]`, \
             counted from 0.",
            "Every answer bears the header `x-request-id`; tell it to whoever runs the server when something went \
             wrong.",
        ],
    ),
    (
        "Sending again",
        "idempotency",
        &[
            "Every create of a caller with a token takes an `idempotency_key`, also as the header \
             `Idempotency-Key`. The same key with the same request is answered as the first time, with \
             `\"replayed\": true`, and changes nothing, for seven days.",
        ],
    ),
    (
        "Lists",
        "lists",
        &[
            "The index routes take `search`, `filters`, `sort` and `page`. The answer's `next` is the cursor for \
             `page.after`, null at the end; it reaches the whole list and stays in place while records are added. \
             With `count`, the answer says how many there are: exactly up to 10,000.",
        ],
    ),
];

/// See the module.
pub(super) fn main(services: &[Service], public_url: &str) -> Markup {
    html! {
        h1 { "API reference" }
        p.lead {
            "Report each change of an order once; Postrider tells every subscription that wants it. "
            "The reference is made of the declarations that also check every request; so is the "
            a href="/documentation/openapi.json" { "OpenAPI document" } "."
        }
        section {
            h2 #routes { "Routes " (anchor("routes")) }
            (contents::main(services))
        }
        @for (title, id, paragraphs) in CHAPTERS {
            section {
                h2 id=(id) { (title) " " (anchor(id)) }
                @for paragraph in *paragraphs { p { (prose(paragraph)) } }
                @if *id == "requests" { (code("first", "Command", &first(public_url))) }
            }
        }
        (statuses())
    }
}

fn first(public_url: &str) -> String {
    format!(
        "curl -sS {public_url}/api/v1/integrations/index \\\n  -H 'Authorization: Bearer pra_…' \\\n  \
         -H 'Content-Type: application/json' -d '{{}}'"
    )
}

fn statuses() -> Markup {
    let mut all: Vec<_> = [COMMON, AUTHENTICATED, PARTICULAR].concat();
    all.sort_by_key(|status| (status.code, status.slug));
    html! {
        section {
            h2 #statuses { "Statuses " (anchor("statuses")) }
            div.scroll tabindex="0" role="region" aria-label="Statuses" {
                table {
                    thead { tr { th scope="col" { "Code" } th scope="col" { "Status" } th scope="col" { "Meaning" } } }
                    tbody {
                        @for status in all {
                            tr {
                                td { (status.code) }
                                th scope="row" { code { (status.slug) } }
                                td { (prose(status.description)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
