//! A prefix as a range of texts, which an index can answer.

/// The texts that begin with `prefix` are those from it up to, and without, this one: its last character is raised by one. The
/// largest character cannot be, and is dropped; where nothing is left, there is no end.
///
/// Columns that are searched are compared by their UTF-8 bytes (collate "C"), whose order is the order of code points.
pub(crate) fn prefix_end(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // A range of characters leaves out the surrogates.
        if let Some(next) = (last..=char::MAX).nth(1) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_prefix_is_the_next_text_that_does_not_begin_with_it() {
        let cases = [
            ("abc", Some("abd")),
            ("az", Some("a{")),
            ("ä", Some("å")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}\u{10ffff}", None),
            ("", None),
        ];
        for (prefix, end) in cases {
            assert_eq!(prefix_end(prefix).as_deref(), end, "{prefix:?}");
        }
    }
}
