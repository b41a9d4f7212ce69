//! Links into the portal: who comes, to which integration, and until when, signed so that nobody can say it but us. Nothing of them
//! is kept.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::id::IntegrationId;
use crate::time::Moment;

/// What the token of a link begins with, so that scanners find a leaked one and people see what it is.
const PREFIX: &str = "prp_";
/// Length of the key in bytes.
pub const PORTAL_KEY_BYTES: usize = 32;
/// Length of SHA-256's block in bytes.
const BLOCK_BYTES: usize = 64;
/// Longest name of somebody who comes by a link, in characters: it stands in the audit trail and on every page.
pub const SUBJECT_CHARS_MAX: usize = 100;
/// Shortest and longest life of a link. It cannot be taken back one by one, so it is gone within a day.
pub const LINK_LIFE_SECONDS: (u64, u64) = (60, 24 * 60 * 60);
/// The life of a link where nothing is said: as long as somebody looks at a page that they opened.
pub const LINK_LIFE_DEFAULT: Duration = Duration::from_secs(60 * 60);
/// Longest token that is looked at, in bytes: a name of the longest characters, escaped in JSON, in base64, and the signature.
const TOKEN_BYTES_MAX: usize = 2_048;

/// What a link says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalLink {
    /// The only integration that it leads to.
    pub integration_id: IntegrationId,
    /// Who comes by it, in the words of whoever made it.
    pub subject: String,
    /// Until when it is good.
    pub expires_at: Moment,
}

/// The key that signs links.
#[derive(Clone)]
pub struct PortalKey(Hmac<Sha256>);

impl PortalKey {
    /// The key of these bytes, which serve nothing else.
    pub fn from_bytes(bytes: [u8; PORTAL_KEY_BYTES]) -> PortalKey {
        // HMAC fills a key up with zeros to the block of its hash.
        let mut block = [0; BLOCK_BYTES];
        block[..PORTAL_KEY_BYTES].copy_from_slice(&bytes);
        PortalKey(Hmac::<Sha256>::new(&block.into()))
    }

    /// The token of a link.
    ///
    /// # Errors
    /// Never in practice: a link is always JSON.
    pub fn token(&self, link: &PortalLink) -> Result<String, serde_json::Error> {
        let end = link.expires_at.microseconds();
        // Without names: it stands in the path of every page.
        let says = serde_json::to_vec(&(link.integration_id, end, &link.subject))?;
        let says = BASE64.encode(says);
        let signature = BASE64.encode(self.over(&says).finalize().into_bytes());
        Ok(format!("{PREFIX}{says}.{signature}"))
    }

    /// Whether a text is meant to be such a token.
    pub fn is_token(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The link of a token, good or over; none where we did not sign it as it stands.
    pub fn link(&self, token: &str) -> Option<PortalLink> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (says, signature) = token.strip_prefix(PREFIX)?.split_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        // In constant time.
        self.over(says).verify_slice(&signature).ok()?;
        let says = BASE64.decode(says).ok()?;
        let (integration_id, end, subject) = serde_json::from_slice(&says).ok()?;
        Some(PortalLink {
            integration_id,
            subject,
            expires_at: Moment::from_microseconds(end),
        })
    }

    fn over(&self, says: &str) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(says.as_bytes());
        mac
    }
}

impl PortalLink {
    /// Whether it is good no more.
    pub fn is_over(&self, now: Moment) -> bool {
        now >= self.expires_at
    }
}

impl fmt::Debug for PortalKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PortalKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> PortalLink {
        PortalLink {
            integration_id: IntegrationId(7),
            subject: "Bob <b>of</b> Acme".to_owned(),
            expires_at: Moment::from_microseconds(1_800_000_000_000_000),
        }
    }

    #[test]
    fn a_token_says_what_was_signed_and_nothing_else() {
        let key = PortalKey::from_bytes([7; PORTAL_KEY_BYTES]);
        let token = key.token(&link()).expect("a token");
        assert!(PortalKey::is_token(&token) && !PortalKey::is_token("prs_a"));
        assert_eq!(key.link(&token), Some(link()));
        assert_eq!(PortalKey::from_bytes([8; 32]).link(&token), None);
        assert_eq!(format!("{key:?}"), "PortalKey");
        let other = key
            .token(&PortalLink {
                integration_id: IntegrationId(8),
                ..link()
            })
            .expect("a token");
        let (says, _) = other.split_once('.').expect("two parts");
        let (_, signature) = token.split_once('.').expect("two parts");
        assert_eq!(key.link(&format!("{says}.{signature}")), None);
    }

    /// Whatever byte is changed, and wherever it is cut.
    #[test]
    fn no_other_text_is_a_token() {
        let key = PortalKey::from_bytes([7; PORTAL_KEY_BYTES]);
        let token = key.token(&link()).expect("a token");
        for at in 0..token.len() {
            assert_eq!(key.link(&token[..at]), None, "{at}");
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).expect("ASCII");
            assert_eq!(key.link(&changed), None, "{at}");
        }
        let long = format!("prp_{}.{}", "A".repeat(TOKEN_BYTES_MAX), "A".repeat(43));
        for text in ["", "prp_", "prp_.", long.as_str()] {
            assert_eq!(key.link(text), None);
        }
    }

    #[test]
    fn the_longest_name_fits() {
        let key = PortalKey::from_bytes([7; PORTAL_KEY_BYTES]);
        for character in ["\u{1}", "\u{10ffff}", "\""] {
            let subject = character.repeat(SUBJECT_CHARS_MAX);
            let long = PortalLink { subject, ..link() };
            assert_eq!(key.link(&key.token(&long).expect("a token")), Some(long));
        }
    }

    #[test]
    fn a_link_is_over_from_its_end_on() {
        let end = link().expires_at;
        let second = Duration::from_secs(1);
        assert!(
            !link().is_over(end - second) && link().is_over(end) && link().is_over(end + second)
        );
    }
}
