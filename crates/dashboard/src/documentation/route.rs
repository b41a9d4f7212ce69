//! The page of a route.

use contract::Route;
use maud::{Markup, html};

use super::contents::{anchor, method};
use super::{body, page_of, params, responses};
use crate::prose::prose;

/// The pages before and after it.
pub(super) struct Neighbours {
    pub(super) before: Option<&'static Route>,
    pub(super) after: Option<&'static Route>,
}

/// See the module.
pub(super) fn main(route: &'static Route, neighbours: &Neighbours, public_url: &str) -> Markup {
    html! {
        h1 { (route.title) }
        section {
            h2 #route { "Route " (anchor("route")) }
            p.route-line {
                (method(route)) " "
                code #code-path { (route.path()) } " "
                button type="button" data-copy="code-path" hidden { "Copy" }
            }
        }
        section {
            h2 #purpose { "Purpose " (anchor("purpose")) }
            p { (prose(route.purpose)) }
        }
        section {
            h2 #parameters {
                "Parameters "
                @if route.sensitive { span.badge { "sensitive params" } " " }
                (anchor("parameters"))
            }
            (params::list(route.params, ""))
        }
        (body::main(route, public_url))
        (responses::main(route))
        nav.neighbours aria-label="Neighbours" {
            @if let Some(before) = neighbours.before {
                a rel="prev" href=(page_of(before)) { "← " (before.service) "/" (before.action) }
            }
            @if let Some(after) = neighbours.after {
                a rel="next" href=(page_of(after)) { (after.service) "/" (after.action) " →" }
            }
        }
    }
}
