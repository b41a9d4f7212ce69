//! Whether two requests with one idempotency key are the same request.

use sha2::{Digest, Sha256};

/// SHA-256 over a route's path and the parameters as they were sent: names and JSON texts, by name.
///
/// Leave out the token (it may be renewed between two tries) and the key itself (it may come as a
/// header). The JSON inside a parameter is compared as text: whoever sends a request again sends the same
/// bytes, and a body that is only written differently is refused rather than guessed to be the same.
pub fn request_hash<'a>(
    path: &str,
    parameters: impl Iterator<Item = (&'a str, &'a str)>,
) -> [u8; 32] {
    let mut parameters: Vec<_> = parameters.collect();
    parameters.sort_unstable();
    let mut hash = Sha256::new();
    let texts = parameters.iter().flat_map(|(name, json)| [*name, *json]);
    for text in std::iter::once(path).chain(texts) {
        // The length keeps two neighbours apart.
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(path: &str, parameters: &[(&str, &str)]) -> [u8; 32] {
        request_hash(path, parameters.iter().copied())
    }

    #[test]
    fn requests_are_the_same_whatever_the_order_of_their_parameters() {
        let one = hash("/a", &[("stage", "\"hold\""), ("order_id", "1")]);
        assert_eq!(one, hash("/a", &[("order_id", "1"), ("stage", "\"hold\"")]));
    }

    #[test]
    fn anything_else_makes_another_request() {
        let all = [
            hash("/a", &[("b", "1"), ("c", "2")]),
            hash("/b", &[("b", "1"), ("c", "2")]),
            hash("/a", &[("b", "1"), ("c", "3")]),
            hash("/a", &[("b", "1")]),
            hash("/a", &[("b", "1c"), ("", "2")]),
            hash("/ab", &[("", "1"), ("c", "2")]),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }
}
