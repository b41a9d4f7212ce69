//! The origins whose pages may frame the portal, as they stand in its content security policy.

use url::{Host, Url};

use super::fault::ConfigFault;
use super::gather::Gathered;
use super::setting;

/// Most origins: they stand in a header of every page of the portal.
const ORIGINS_MAX: usize = 50;

/// Each as a browser writes it, such as `https://app.example.com` or `http://localhost:3000`.
pub(super) fn origins(gathered: &Gathered) -> Result<Vec<String>, ConfigFault> {
    let text = gathered.text(&setting::FRAME_ANCESTORS).unwrap_or_default();
    let texts = text.split(',').map(str::trim).filter(|one| !one.is_empty());
    let origins: Option<Vec<String>> = texts.map(origin).collect();
    let bad = |reason: String| gathered.bad(&setting::FRAME_ANCESTORS, reason);
    let origins = origins.ok_or_else(|| {
        bad(format!(
            "`{text}` is no list of origins; write scheme, host and port only, for example https://app.example.com"
        ))
    })?;
    match origins.len() > ORIGINS_MAX {
        true => Err(bad(format!("has more than {ORIGINS_MAX} origins"))),
        false => Ok(origins),
    }
}

/// Nothing but an origin passes: whatever else a policy may hold, such as `*` or a keyword, would let in more than is meant.
fn origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_host = match url.host()? {
        Host::Domain(name) => name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-')),
        Host::Ipv4(_) => true,
        // A policy cannot name one.
        Host::Ipv6(_) => false,
    };
    let is_origin = matches!(url.scheme(), "http" | "https")
        && is_bare
        && is_host
        && url.username().is_empty()
        && url.password().is_none();
    is_origin.then(|| url.origin().ascii_serialization())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_origins_pass() {
        let cases = [
            ("https://app.example.com", Some("https://app.example.com")),
            ("https://app.example.com/", Some("https://app.example.com")),
            (
                "HTTPS://App.Example.com:443",
                Some("https://app.example.com"),
            ),
            ("http://localhost:3000", Some("http://localhost:3000")),
            ("http://127.0.0.1:3000", Some("http://127.0.0.1:3000")),
            (
                "https://bücher.example",
                Some("https://xn--bcher-kva.example"),
            ),
            ("app.example.com", None),
            ("*", None),
            ("'self'", None),
            ("https:", None),
            ("https://*.example.com", None),
            ("https://a.example.com/path", None),
            ("https://a.example.com?q", None),
            ("https://a.example.com#f", None),
            ("https://user@a.example.com", None),
            ("https://a.example.com;script-src", None),
            ("http://[::1]:3000", None),
            ("data:text/html,a", None),
            ("ftp://a.example.com", None),
        ];
        for (text, expected) in cases {
            assert_eq!(origin(text).as_deref(), expected, "{text}");
        }
    }
}
