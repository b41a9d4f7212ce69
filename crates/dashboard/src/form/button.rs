//! A form that is a button alone.

use maud::{Markup, html};

use crate::forgery;
use crate::visit::Visit;

/// A button that sends what is hidden beside it. `class` is `primary`, or empty.
pub(crate) fn button(
    visit: &Visit,
    action: &str,
    words: &str,
    class: &str,
    hidden: &[(&str, &str)],
) -> Markup {
    html! { form method="post" action=(action) {
        input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
        @for (name, value) in hidden { input type="hidden" name=(name) value=(value); }
        button class=(class) type="submit" { (words) }
    } }
}
