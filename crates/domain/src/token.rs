//! Tokens: 256 random bits that only their owner knows; we keep their hashes.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What a token begins with, so that scanners find a leaked one and people see what it is.
const APPLICATION_PREFIX: &str = "pra_";
const SESSION_PREFIX: &str = "prs_";
const LINK_PREFIX: &str = "prl_";

/// A token as its owner gets it, once.
#[derive(Clone)]
pub struct Token(String);

/// The SHA-256 of a token: all that is kept. Of 256 random bits a plain hash gives nothing away.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; 32]);

impl Token {
    /// An application's token of these random bytes.
    pub fn of_application(random: [u8; 32]) -> Token {
        Token::new(APPLICATION_PREFIX, random)
    }

    /// A session's token of these random bytes.
    pub fn of_session(random: [u8; 32]) -> Token {
        Token::new(SESSION_PREFIX, random)
    }

    /// The token of a link that signs somebody in once.
    pub fn of_link(random: [u8; 32]) -> Token {
        Token::new(LINK_PREFIX, random)
    }

    fn new(prefix: &str, random: [u8; 32]) -> Token {
        Token(format!("{prefix}{}", BASE64.encode(random)))
    }

    /// The text, for its owner's eyes.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl TokenHash {
    /// The hash of a text that is given as a token.
    pub fn of(text: &str) -> TokenHash {
        TokenHash(Sha256::digest(text.as_bytes()).into())
    }

    /// The hash of these bytes, as stores keep them.
    pub const fn from_bytes(bytes: [u8; 32]) -> TokenHash {
        TokenHash(bytes)
    }

    /// The bytes, as stores keep them.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Takes as long whatever differs.
impl PartialEq for TokenHash {
    fn eq(&self, other: &TokenHash) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for TokenHash {}

/// For caches; equality stays constant in time.
impl std::hash::Hash for TokenHash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TokenHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_hash_and_never_shown() {
        let token = Token::of_application([7; 32]);
        assert!(token.text().starts_with("pra_"));
        assert_eq!(token.text().len(), 4 + 43);
        assert_eq!(token.hash(), TokenHash::of(token.text()));
        assert_ne!(token.hash(), Token::of_application([8; 32]).hash());
        assert_eq!(format!("{token:?} {:?}", token.hash()), "Token TokenHash");
    }

    #[test]
    fn the_hash_is_sha_256() {
        let hex: String = TokenHash::of("abc")
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
