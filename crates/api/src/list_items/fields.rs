//! What a word of a vocabulary consists of.

use contract::Param;

/// Longest slug in characters; see `params::SLUG`.
const SLUG_CHARS_MAX: usize = 100;
/// Longest name in characters.
const NAME_CHARS_MAX: usize = 200;
/// Longest description in characters.
const DESCRIPTION_CHARS_MAX: usize = 1_000;

pub(super) const SLUG: Param = Param::string("slug").chars(1, SLUG_CHARS_MAX).about(
    "The word that parameters take, of small letters, digits and _ . - signs; unique in its list. An event's \
     part after the dot is its type.",
);
pub(super) const NAME: Param = Param::string("name")
    .chars(1, NAME_CHARS_MAX)
    .about("The word for people.");
pub(super) const DESCRIPTION: Param = Param::string("description")
    .chars(1, DESCRIPTION_CHARS_MAX)
    .about("What it means.");
pub(super) const ACTIVE: Param = Param::boolean("active").about(
    "Whether it can be used. A word is never deleted: switched off, it stays where it is used already.",
);

pub(super) fn slug(text: &str) -> Result<String, &'static str> {
    let is_sign =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '.' | '-');
    if text.chars().all(is_sign) {
        Ok(text.to_owned())
    } else {
        Err("may only hold the letters a to z, digits, and the signs _ . -")
    }
}
