//! A prefix as a range of texts, which an index can answer.

use rusqlite::types::Value;

/// The texts that begin with `prefix` are those from the first value up to, and without, the second.
///
/// SQLite compares texts by their UTF-8 bytes, whose order is the order of code points.
pub(crate) fn prefix_range(prefix: &str) -> (Value, Value) {
    let until = raised(prefix).map_or_else(after_all_texts, Value::Text);
    (Value::Text(prefix.to_owned()), until)
}

/// The smallest text that is larger than all that begin with `prefix`: its last character is raised by one;
/// the largest character cannot be, and is dropped.
fn raised(prefix: &str) -> Option<String> {
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

/// SQLite sorts every blob after every text.
fn after_all_texts() -> Value {
    Value::Blob(Vec::new())
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
            let end = end.map_or_else(after_all_texts, |end| Value::Text(end.to_owned()));
            assert_eq!(
                prefix_range(prefix),
                (Value::Text(prefix.to_owned()), end),
                "{prefix:?}"
            );
        }
    }

    #[test]
    fn sqlite_finds_in_the_range_what_begins_with_the_prefix() {
        let connection = rusqlite::Connection::open_in_memory().expect("memory");
        let texts = [
            "",
            "a",
            "a\u{10ffff}b",
            "ab",
            "b",
            "Ä",
            "ä",
            "äz",
            "å",
            "\u{10ffff}",
            "\u{10ffff}z",
        ];
        for prefix in texts {
            let (from, until) = prefix_range(prefix);
            for text in texts {
                let is_found: bool = connection
                    .query_row(
                        "select ?1 >= ?2 and ?1 < ?3",
                        (text, &from, &until),
                        |row| row.get(0),
                    )
                    .expect("an answer");
                assert_eq!(is_found, text.starts_with(prefix), "{text:?} {prefix:?}");
            }
        }
    }
}
