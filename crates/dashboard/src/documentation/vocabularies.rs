//! The pages of the vocabularies, as they are in the store at this moment.

use app::{App, Denied};
use domain::records::ListItem;
use maud::{Markup, html};
use store::{List, ListQuery, PAGE_SIZE_MAX, PageRequest, Sort, Start};

use super::contents::anchor;
use crate::prose::prose;

/// Most words that a page shows: more would not be read.
const WORDS_MAX: usize = 2_000;

/// The words of a list, by slug.
pub(super) async fn words(app: &App, list: List) -> Result<Vec<ListItem>, Denied> {
    let mut words = Vec::new();
    let mut start = Start::Offset(0);
    while words.len() < WORDS_MAX {
        let query = ListQuery {
            search: None,
            sort: Sort {
                by: "slug",
                descending: false,
            },
            page: PageRequest {
                size: PAGE_SIZE_MAX,
                start,
            },
            count: false,
        };
        let page = app.list_items(Some(list), None, query).await?;
        words.extend(page.items);
        match page.next {
            Some(next) => start = Start::After(next),
            None => break,
        }
    }
    Ok(words)
}

/// What the lists are.
pub(super) fn overview() -> Markup {
    html! {
        h1 { "Vocabularies" }
        p { (prose("Words that parameters take. Employees add to them with `list_items/create`.")) }
        ul.routes {
            @for list in [List::OrderStatus, List::OrderEvent] {
                li {
                    a href={ "/documentation/list_items/" (list.name()) } { (list.name()) }
                    p { (prose(purpose(list))) }
                }
            }
        }
    }
}

/// A list's page.
pub(super) fn main(list: List, words: &[ListItem]) -> Markup {
    html! {
        h1 { (title(list)) }
        p { (prose(purpose(list))) }
        div.scroll tabindex="0" role="region" aria-label=(title(list)) {
            table {
                thead { tr { th scope="col" { "Slug" } th scope="col" { "Name" } th scope="col" { "Meaning" } } }
                tbody {
                    @for word in words {
                        tr id=(word.slug) {
                            th scope="row" { code { (word.slug) } " " (anchor(&word.slug)) }
                            td {
                                (word.name)
                                @if !word.active { " " span.badge { "not in use" } }
                            }
                            td { (word.description.as_deref().unwrap_or("")) }
                        }
                    }
                }
            }
        }
    }
}

/// Why there is no page just now.
pub(super) fn unavailable() -> Markup {
    html! {
        h1 { "The words cannot be read just now" }
        p { "The store does not answer. Please try again in a moment." }
    }
}

/// The heading of a list's page.
pub(super) fn title(list: List) -> &'static str {
    match list {
        List::OrderStatus => "Order statuses",
        List::OrderEvent => "Order events",
    }
}

fn purpose(list: List) -> &'static str {
    match list {
        List::OrderStatus => {
            "What an order's `status` can be, and what a subscription's `statuses` are taken from."
        }
        List::OrderEvent => {
            "What can happen to an order (`event_slug`), and what a subscription's `events` are taken from. The \
             part after the dot is the event's type."
        }
    }
}
