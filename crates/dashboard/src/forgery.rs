//! Keeps other sites from sending our forms: the browser says where a form comes from, and a form of somebody signed in bears
//! a token that only their own pages know.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The field of a form that bears the token.
pub(crate) const FIELD: &str = "csrf_token";

/// The token of a session's forms: follows from the session's token, which it does not tell.
pub(crate) fn token(session_token: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"postrider form token\n");
    hash.update(session_token);
    BASE64.encode(hash.finalize())
}

/// Whether a form bears the session's token.
pub(crate) fn is_token(given: &str, session_token: &str) -> bool {
    given
        .as_bytes()
        .ct_eq(token(session_token).as_bytes())
        .into()
}

/// Whether the browser says that the request comes from another site. Browsers without `Sec-Fetch-Site` (which is also not sent
/// to plain http) are asked by `Origin`; what sends neither is no browser, and bears nobody's cookies.
pub(crate) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = header("origin") else {
        return false;
    };
    let host = header(header::HOST.as_str()).unwrap_or_default();
    let from = origin.split_once("://").map_or("", |(_, host)| host);
    host.is_empty() || !from.eq_ignore_ascii_case(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn only_forms_of_the_same_origin_pass() {
        let cases: [(&[(&str, &str)], bool); 8] = [
            (&[], false),
            (&[("sec-fetch-site", "same-origin")], false),
            (&[("sec-fetch-site", "none")], false),
            (
                &[
                    ("sec-fetch-site", "same-site"),
                    ("origin", "http://a"),
                    ("host", "a"),
                ],
                true,
            ),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("origin", "http://a:80"), ("host", "a:80")], false),
            (&[("origin", "http://b"), ("host", "a")], true),
            (&[("origin", "null"), ("host", "null")], true),
        ];
        for (lines, elsewhere) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.insert(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
            assert_eq!(is_from_elsewhere(&headers), elsewhere, "{lines:?}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_session_only() {
        assert!(is_token(&token("prs_a"), "prs_a"));
        assert!(!is_token(&token("prs_a"), "prs_b") && !is_token("", "prs_a"));
    }
}
