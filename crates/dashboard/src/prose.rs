//! Sentences from the declarations as markup: what stands between backticks is code.

use maud::{Markup, html};

/// The text as markup. A backtick without its fellow is shown as it is.
pub(crate) fn prose(text: &str) -> Markup {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('`') {
        let Some((code, behind)) = after.split_once('`') else {
            break;
        };
        pieces.push((before, code));
        rest = behind;
    }
    html! {
        @for (before, code) in pieces {
            (before) code { (code) }
        }
        (rest)
    }
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn backticks_make_code_and_everything_is_escaped() {
        let cases = [
            ("plain", "plain"),
            (
                "`a` & `<b>`.",
                "<code>a</code> &amp; <code>&lt;b&gt;</code>.",
            ),
            ("a ` alone", "a ` alone"),
            ("`a` and ` alone", "<code>a</code> and ` alone"),
        ];
        for (text, markup) in cases {
            assert_eq!(prose(text).into_string(), markup);
        }
    }
}
