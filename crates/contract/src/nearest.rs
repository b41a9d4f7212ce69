//! What somebody probably meant by a name that does not exist.

/// Names longer than this, in characters, are no typing errors; comparing them would only cost
/// time.
const NAME_CHARS_MAX: usize = 64;
/// One typing error is forgiven for so many characters.
const CHARS_PER_ERROR: usize = 3;

/// The known name nearest to `name`, if one is near enough to be meant. Of equally near ones, the
/// first.
pub fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let length = name.chars().take(NAME_CHARS_MAX + 1).count();
    if length > NAME_CHARS_MAX {
        return None;
    }
    let folded = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&folded, candidate), candidate))
        .filter(|(errors, candidate)| *errors <= length.max(candidate.len()) / CHARS_PER_ERROR)
        .min_by_key(|(errors, _)| *errors)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = [
            "token",
            "integration_id",
            "callback_url",
            "statuses",
            "name",
            "notify",
            "id",
        ];
        let cases = [
            ("callbackUrl", Some("callback_url")),
            ("CALLBACK_URL", Some("callback_url")),
            ("status", Some("statuses")),
            ("integrationid", Some("integration_id")),
            ("tokne", Some("token")),
            ("nmae", Some("name")),
            ("notfy", Some("notify")),
            ("colour", None),
            ("x", None),
            ("", None),
            ("naïve_emoji_😀", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
    }

    #[test]
    fn a_very_long_name_is_not_compared() {
        let long = "callback_url".repeat(100_000);
        assert_eq!(nearest(&long, [long.as_str()]), None);
    }
}
