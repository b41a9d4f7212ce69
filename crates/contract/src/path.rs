//! Where in the body a value stands, written as `filters.status[2]`.

use std::fmt;

/// Longest name that an answer repeats, in characters: an unknown name is as long as its sender
/// likes.
const NAME_CHARS_SHOWN_MAX: usize = 100;

/// A place in the body. Borrows its parents, so that walking a body that has no fault allocates
/// nothing for it.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    /// What all places lie in: empty for the body itself, or the prefix of an input within it.
    Base(&'p str),
    Name(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Base(base) => formatter.write_str(base),
            Path::Index(parent, index) => write!(formatter, "{parent}[{index}]"),
            Path::Name(Path::Base(""), name) => formatter.write_str(&shortened(name)),
            Path::Name(parent, name) => write!(formatter, "{parent}.{}", shortened(name)),
        }
    }
}

/// A name that came from outside, short enough to be repeated in an answer.
pub(crate) fn shortened(name: &str) -> std::borrow::Cow<'_, str> {
    match name.char_indices().nth(NAME_CHARS_SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &name[..end]).into(),
        None => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_with_dots_and_indexes() {
        let root = Path::Base("");
        let filters = Path::Name(&root, "filters");
        let status = Path::Name(&filters, "status");
        let within = Path::Base("stages[3]");
        let cases = [
            (filters, "filters"),
            (Path::Index(&status, 2), "filters.status[2]"),
            (Path::Name(&within, "order"), "stages[3].order"),
        ];
        for (path, expected) in cases {
            assert_eq!(path.to_string(), expected);
        }
        let long = "é".repeat(5_000);
        assert_eq!(
            Path::Name(&root, &long).to_string(),
            format!("{}…", "é".repeat(100))
        );
    }
}
