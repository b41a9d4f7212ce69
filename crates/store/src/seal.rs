//! Secrets at rest: sealed with one key, so that a copied database is worth nothing without it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Length of a key in bytes.
const KEY_BYTES: usize = 32;
/// Length of SHA-256's block in bytes.
const BLOCK_BYTES: usize = 64;
/// Length of a nonce in bytes (RFC 8439 section 2.8); a random one may be used for 2³² secrets.
const NONCE_BYTES: usize = 12;

/// The key that seals signing secrets and stored answers (ChaCha20-Poly1305, RFC 8439).
#[derive(Clone)]
pub struct SecretKey {
    cipher: ChaCha20Poly1305,
    bytes: [u8; KEY_BYTES],
}

/// Why a secret cannot be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// The text is no key.
    #[error("a secret key is {KEY_BYTES} bytes in base64")]
    NotAKey,
    /// The bytes were sealed with another key, for another place, or were changed.
    #[error("a secret was sealed with another key, or was changed")]
    WrongKey,
    /// The system has no randomness to give.
    #[error("the system gives no random bytes")]
    NoRandomness,
}

impl SecretKey {
    /// Reads a key from base64.
    ///
    /// # Errors
    /// [`SealFault::NotAKey`].
    pub fn parse(text: &str) -> Result<SecretKey, SealFault> {
        let bytes = BASE64.decode(text.trim()).map_err(|_| SealFault::NotAKey)?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| SealFault::NotAKey)?;
        Ok(SecretKey::from_bytes(bytes))
    }

    /// The key of these bytes.
    pub fn from_bytes(bytes: [u8; KEY_BYTES]) -> SecretKey {
        SecretKey {
            cipher: ChaCha20Poly1305::new(&Key::from(bytes)),
            bytes,
        }
    }

    /// A new key, with its text.
    ///
    /// # Errors
    /// [`SealFault::NoRandomness`].
    pub fn generate() -> Result<(SecretKey, String), SealFault> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|_| SealFault::NoRandomness)?;
        Ok((SecretKey::from_bytes(bytes), BASE64.encode(bytes)))
    }

    /// Seals bytes for one place, such as `webhook_out_subs.signing_secret`: they open nowhere else.
    ///
    /// # Errors
    /// [`SealFault::NoRandomness`].
    pub fn seal(&self, place: &str, bytes: &[u8]) -> Result<Vec<u8>, SealFault> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealFault::NoRandomness)?;
        let payload = Payload {
            msg: bytes,
            aad: place.as_bytes(),
        };
        let sealed = self.cipher.encrypt(&Nonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SealFault::WrongKey)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`SecretKey::seal`] sealed for the same place.
    ///
    /// # Errors
    /// [`SealFault::WrongKey`].
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>, SealFault> {
        let (nonce, msg) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SealFault::WrongKey)?;
        let payload = Payload {
            msg,
            aad: place.as_bytes(),
        };
        let opened = self.cipher.decrypt(&Nonce::from(*nonce), payload);
        opened.map_err(|_| SealFault::WrongKey)
    }

    /// A key for another purpose, such as `portal_links`: it tells nothing of this one, nor of those for other purposes.
    pub fn derive(&self, purpose: &str) -> [u8; KEY_BYTES] {
        // HMAC fills a key up with zeros to the block of its hash.
        let mut block = [0; BLOCK_BYTES];
        block[..KEY_BYTES].copy_from_slice(&self.bytes);
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&block.into());
        mac.update(b"postrider key for ");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_and_in_its_place_only() {
        let (key, text) = SecretKey::generate().expect("randomness");
        let (other, _) = SecretKey::generate().expect("randomness");
        let sealed = key.seal("a", b"secret").expect("sealed");
        let again = SecretKey::parse(&text).expect("a key");
        assert_eq!(again.open("a", &sealed), Ok(b"secret".to_vec()));
        assert_eq!(key.open("b", &sealed), Err(SealFault::WrongKey));
        assert_eq!(other.open("a", &sealed), Err(SealFault::WrongKey));
        assert_eq!(key.open("a", &sealed[..11]), Err(SealFault::WrongKey));
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        assert_ne!(key.seal("a", b"secret").expect("sealed"), sealed);
    }

    #[test]
    fn a_derived_key_is_the_same_for_its_key_and_purpose_only() {
        let key = SecretKey::from_bytes([7; KEY_BYTES]);
        let derived = key.derive("a");
        assert_eq!(SecretKey::from_bytes([7; KEY_BYTES]).derive("a"), derived);
        for other in [
            key.derive("b"),
            SecretKey::from_bytes([8; KEY_BYTES]).derive("a"),
            [7; KEY_BYTES],
        ] {
            assert_ne!(other, derived);
        }
    }

    #[test]
    fn only_32_bytes_in_base64_are_a_key() {
        for text in ["", "abc", "!!!", "AAAA"] {
            assert_eq!(
                SecretKey::parse(text).err(),
                Some(SealFault::NotAKey),
                "{text}"
            );
        }
    }
}
