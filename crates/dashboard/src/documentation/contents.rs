//! What there is: the list of routes beside every page, and the table of contents with its search box.

use contract::Route;
use maud::{Markup, html};

use super::{Service, page_of};
use crate::prose::prose;

/// All routes, the one that is shown marked.
pub(super) fn aside(services: &[Service], current: Option<&Route>) -> Markup {
    html! {
        aside.contents #contents {
            nav aria-label="Routes" {
                @for service in services {
                    h2 { (service.title) }
                    ul {
                        @for route in &service.routes {
                            li {
                                a href=(page_of(route))
                                    aria-current=[(Some(*route) == current).then_some("page")] {
                                    (route.action)
                                }
                            }
                        }
                    }
                }
                h2 { "Vocabularies" }
                ul {
                    li { a href="/documentation/list_items/order_status" { "order_status" } }
                    li { a href="/documentation/list_items/order_event" { "order_event" } }
                }
            }
        }
    }
}

/// The search box, and every route with its purpose.
pub(super) fn main(services: &[Service]) -> Markup {
    html! {
        div.search hidden {
            label for="search" { "Find a route or parameter" }
            input #search type="search" data-search autocomplete="off" spellcheck="false"
                placeholder="for example callback_url" aria-keyshortcuts="/";
            p.found role="status" data-found {}
        }
        @for service in services {
            section.service data-group id=(service.key) {
                h3 { (service.title) " " (anchor(service.key)) }
                ul.routes {
                    @for route in &service.routes {
                        li data-words=(words(route)) {
                            a href=(page_of(route)) {
                                (method(route)) " "
                                span.path { (route.service) "/" b { (route.action) } }
                            }
                            p { (prose(first_sentence(route.purpose))) }
                        }
                    }
                }
            }
        }
    }
}

/// A link to the place itself.
pub(super) fn anchor(id: &str) -> Markup {
    html! { a.anchor href={ "#" (id) } aria-label={ "Link to " (id) } { "#" } }
}

/// The HTTP method, as a badge.
pub(super) fn method(route: &Route) -> Markup {
    let name = route.method.name();
    html! { span.method.(name.to_lowercase()) { (name) } }
}

/// What a route is found by.
fn words(route: &Route) -> String {
    let names: Vec<&str> = route.params.iter().map(|param| param.name).collect();
    let path = route.path();
    format!(
        "{path} {} {} {}",
        route.title,
        route.purpose,
        names.join(" ")
    )
    .to_lowercase()
}

fn first_sentence(text: &str) -> &str {
    match text.find(". ") {
        Some(end) => &text[..=end],
        None => text,
    }
}
