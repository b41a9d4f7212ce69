//! The example of a route's request: its body, and the command that sends it.

use contract::Route;
use maud::{Markup, html};

use super::contents::anchor;

/// See the module.
pub(super) fn main(route: &Route, public_url: &str) -> Markup {
    let curl = curl(route, public_url);
    html! {
        section {
            h2 #example { "Request body example " (anchor("example")) }
            p.quiet { "Content type: " code { (route.content_type()) } }
            @if route.sensitive {
                p {
                    "The parameters of this route are sensitive: the JSON object is sent as base64, so that \
                     it does not stand readable in the logs of what lies between."
                }
            }
            (code("body", "JSON", route.example))
            (code("curl", "Command", &curl))
        }
    }
}

/// A block of code that can be copied.
pub(crate) fn code(id: &str, label: &str, text: &str) -> Markup {
    html! {
        figure.code {
            figcaption {
                span { (label) }
                button type="button" data-copy={ "code-" (id) } hidden { "Copy" }
            }
            pre tabindex="0" aria-label=(label) { code id={ "code-" (id) } { (text) } }
        }
    }
}

/// What a shell sends the example with. The body goes in by a document of the shell, in which nothing is
/// expanded, so that it stands there as it is.
fn curl(route: &Route, public_url: &str) -> String {
    let method = match route.method.name() {
        "POST" => String::new(),
        method => format!(" -X {method}"),
    };
    let (path, content_type, example) = (route.path(), route.content_type(), route.example);
    let (encode, here) = match route.sensitive {
        true => ("base64 <<'END' | ", ""),
        false => ("", " <<'END'"),
    };
    format!(
        "{encode}curl -sS{method} {public_url}{path} \\\n  -H 'Content-Type: {content_type}' --data-binary @-{here}\n\
         {example}\nEND"
    )
}
