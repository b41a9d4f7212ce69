//! The cookies of the pages: the session, what was said of the last form, and the integration looked at last.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use http::{HeaderMap, HeaderValue, header};

/// Holds the session's token.
pub(crate) const SESSION: &str = "postrider_session";
/// Holds one sentence for the next page.
pub(crate) const FLASH: &str = "postrider_flash";
/// Holds the id of the integration that was looked at last.
pub(crate) const INTEGRATION: &str = "postrider_integration";

/// How long the browser of somebody who is remembered keeps the session, in seconds: 400 days, the most that browsers grant.
pub(crate) const REMEMBERED_SECONDS: u64 = 400 * 24 * 60 * 60;
/// How long a sentence waits for its page, in seconds.
const FLASH_SECONDS: u64 = 60;

/// The value of a cookie.
pub(crate) fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// Where a cookie is sent along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// With requests of our own pages.
    Own,
    /// The same, by https only.
    OwnSecure,
    /// In a frame of another site, kept apart for each such site. Browsers keep it by https only, and on the machine itself.
    Framed,
}

impl Guard {
    /// That of pages which are not framed; `secure` where the server is reached by https.
    pub(crate) fn own(secure: bool) -> Guard {
        if secure { Guard::OwnSecure } else { Guard::Own }
    }

    fn attributes(self) -> &'static str {
        match self {
            Guard::Own => "SameSite=Lax",
            Guard::OwnSecure => "SameSite=Lax; Secure",
            Guard::Framed => "SameSite=None; Secure; Partitioned",
        }
    }
}

/// Sets a cookie that scripts cannot read; until the browser is closed unless it is said how long.
pub(crate) fn set(
    headers: &mut HeaderMap,
    guard: Guard,
    name: &str,
    value: &str,
    seconds: Option<u64>,
) {
    let mut cookie = format!("{name}={value}; Path=/; HttpOnly; {}", guard.attributes());
    if let Some(seconds) = seconds {
        cookie.push_str(&format!("; Max-Age={seconds}"));
    }
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

/// Leaves a sentence for the next page.
pub(crate) fn set_flash(headers: &mut HeaderMap, guard: Guard, sentence: &str) {
    set(
        headers,
        guard,
        FLASH,
        &BASE64.encode(sentence),
        Some(FLASH_SECONDS),
    );
}

/// The sentence that was left for this page.
pub(crate) fn flash(headers: &HeaderMap) -> Option<String> {
    let bytes = BASE64.decode(get(headers, FLASH)?).ok()?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_by_their_whole_name_and_set_with_all_guards() {
        let mut headers = HeaderMap::new();
        let line = HeaderValue::from_static(
            "xpostrider_session=no; postrider_sessions=no; postrider_session=yes",
        );
        headers.insert(header::COOKIE, line);
        assert_eq!(get(&headers, SESSION), Some("yes"));
        let mut answer = HeaderMap::new();
        set(&mut answer, Guard::OwnSecure, SESSION, "prs_a", Some(7));
        assert_eq!(
            answer[header::SET_COOKIE],
            "postrider_session=prs_a; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=7"
        );
    }
}
