//! Keys for signatures that anybody can verify and only Postrider can make: Standard Webhooks 1.0, scheme `v1a` (ed25519).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::Signer;

/// What a public key begins with (Standard Webhooks, "signature scheme").
const PUBLIC_PREFIX: &str = "whpk_";
/// Length of the seed that a key is made from, in bytes (RFC 8032 section 5.1.5).
pub const SEED_BYTES: usize = 32;

/// A private key that signs payloads.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The keys of a subscription that has any.
#[derive(Clone, Debug, Default)]
pub struct SigningKeys {
    /// The key whose public half receivers should use.
    pub current: Option<SigningKey>,
    /// The one before, which signs for as long as the secret before does.
    pub previous: Option<SigningKey>,
}

impl SigningKey {
    /// The key of a seed of random bytes.
    pub fn from_seed(seed: [u8; SEED_BYTES]) -> SigningKey {
        SigningKey(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The seed, for the store to seal.
    pub fn seed(&self) -> [u8; SEED_BYTES] {
        self.0.to_bytes()
    }

    /// The public key as receivers need it, `whpk_…`.
    pub fn public_text(&self) -> String {
        let public = self.0.verifying_key();
        format!("{PUBLIC_PREFIX}{}", BASE64.encode(public.as_bytes()))
    }

    /// `v1a,` and the base64 of the signature of the message.
    pub(crate) fn sign_into(&self, out: &mut String, message: &[u8]) {
        out.push_str("v1a,");
        BASE64.encode_string(self.0.sign(message).to_bytes(), out);
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 section 7.1, test 2.
    const SEED: [u8; 32] = [
        0x4c, 0xcd, 0x08, 0x9b, 0x28, 0xff, 0x96, 0xda, 0x9d, 0xb6, 0xc3, 0x46, 0xec, 0x11, 0x4e,
        0x0f, 0x5b, 0x8a, 0x31, 0x9f, 0x35, 0xab, 0xa6, 0x24, 0xda, 0x8c, 0xf6, 0xed, 0x4f, 0xb8,
        0xa6, 0xfb,
    ];
    const PUBLIC: [u8; 32] = [
        0x3d, 0x40, 0x17, 0xc3, 0xe8, 0x43, 0x89, 0x5a, 0x92, 0xb7, 0x0a, 0xa7, 0x4d, 0x1b, 0x7e,
        0xbc, 0x9c, 0x98, 0x2c, 0xcf, 0x2e, 0xc4, 0x96, 0x8c, 0xc0, 0xcd, 0x55, 0xf1, 0x2a, 0xf4,
        0x66, 0x0c,
    ];
    const SIGNATURE: [u8; 64] = [
        0x92, 0xa0, 0x09, 0xa9, 0xf0, 0xd4, 0xca, 0xb8, 0x72, 0x0e, 0x82, 0x0b, 0x5f, 0x64, 0x25,
        0x40, 0xa2, 0xb2, 0x7b, 0x54, 0x16, 0x50, 0x3f, 0x8f, 0xb3, 0x76, 0x22, 0x23, 0xeb, 0xdb,
        0x69, 0xda, 0x08, 0x5a, 0xc1, 0xe4, 0x3e, 0x15, 0x99, 0x6e, 0x45, 0x8f, 0x36, 0x13, 0xd0,
        0xf1, 0x1d, 0x8c, 0x38, 0x7b, 0x2e, 0xae, 0xb4, 0x30, 0x2a, 0xee, 0xb0, 0x0d, 0x29, 0x16,
        0x12, 0xbb, 0x0c, 0x00,
    ];

    #[test]
    fn it_signs_as_the_standard_has_it_and_is_never_shown() {
        let key = SigningKey::from_seed(SEED);
        let public = format!("whpk_{}", BASE64.encode(PUBLIC));
        assert_eq!(key.public_text(), public);
        let mut signed = String::new();
        key.sign_into(&mut signed, &[0x72]);
        assert_eq!(signed, format!("v1a,{}", BASE64.encode(SIGNATURE)));
        assert_eq!(format!("{key:?}"), "SigningKey");
        assert_eq!(key.seed(), SEED);
    }
}
