//! What receivers copy to verify a signature by the rules of Standard Webhooks, in their own language. Each is a file of its own,
//! which tests run against deliveries.

use maud::{Markup, html};

use crate::documentation::code;

/// A language's name, and what stands in a file of it.
const SNIPPETS: [(&str, &str, &str); 6] = [
    ("python", "Python", include_str!("snippets/verify.py")),
    ("node", "Node", include_str!("snippets/verify.mjs")),
    ("go", "Go", include_str!("snippets/verify.go")),
    ("ruby", "Ruby", include_str!("snippets/verify.rb")),
    ("php", "PHP", include_str!("snippets/verify.php")),
    ("rust", "Rust", include_str!("snippets/verify.rs")),
];

/// All of them; the first is open, and opening another closes it.
pub(crate) fn section() -> Markup {
    html! { section.snippets {
        h2 { "Verify it" }
        p { "A receiver takes a request only if its signature is good. These are yours to copy, and need nothing but what comes \
             with the language (three crates in Rust); there are libraries for " em { "Standard Webhooks" } " too." }
        @for (at, (name, language, text)) in SNIPPETS.iter().enumerate() {
            details.snippet name="verify" open[at == 0] {
                summary { (language) }
                (code(&format!("verify-{name}"), "verify", text.trim_end()))
            }
        }
    } }
}
