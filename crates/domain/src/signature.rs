//! Signatures by which receivers know that a payload is genuine: Standard Webhooks 1.0, scheme `v1`, and `v1a` beside it
//! where a subscription asks for that.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::signing_key::SigningKeys;
use crate::time::Moment;

/// What a secret begins with, so that scanners find a leaked one.
const PREFIX: &str = "whsec_";
/// Shortest and longest secret in bytes (Standard Webhooks, "signature scheme").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that signs payloads; the key of its HMAC is prepared once.
#[derive(Clone)]
pub struct SigningSecret {
    bytes: Vec<u8>,
    prepared: Hmac<Sha256>,
}

/// Why a text is no secret; never repeats it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// Not `whsec_` and base64.
    #[error("must be \"whsec_\" followed by 24 to 64 bytes in standard base64")]
    Syntax,
    /// Too few bytes or too many.
    #[error("must be 24 to 64 bytes before base64; this one has {0}")]
    Length(usize),
}

/// What signs the payloads of a subscription.
#[derive(Clone, Debug)]
pub struct SigningSecrets {
    /// The secret that receivers should use.
    pub current: SigningSecret,
    /// The one before, and until when it signs too.
    pub previous: Option<(SigningSecret, Moment)>,
    /// Keys that sign as well, with signatures that anybody can verify.
    pub keys: SigningKeys,
}

/// The headers of a signed payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// `webhook-timestamp`: seconds since 1970.
    pub timestamp: i64,
    /// `webhook-signature`: one signature per secret and key, separated by blanks.
    pub signature: String,
}

impl SigningSecret {
    /// The secret of these bytes.
    ///
    /// # Errors
    /// [`SecretFault::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<SigningSecret, SecretFault> {
        if !SECRET_BYTES.contains(&bytes.len()) {
            return Err(SecretFault::Length(bytes.len()));
        }
        let prepared =
            Hmac::<Sha256>::new_from_slice(bytes).map_err(|_| SecretFault::Length(bytes.len()))?;
        Ok(SigningSecret {
            bytes: bytes.to_owned(),
            prepared,
        })
    }

    /// The bytes, for the store to seal.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The text, for the receiver's eyes.
    pub fn to_text(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(&self.bytes))
    }

    /// `v1,` and the base64 of HMAC-SHA256 over head (id and timestamp) and body.
    fn sign_into(&self, out: &mut String, head: &str, body: &[u8]) {
        let mut mac = self.prepared.clone();
        mac.update(head.as_bytes());
        mac.update(body);
        out.push_str("v1,");
        BASE64.encode_string(mac.finalize().into_bytes(), out);
    }
}

/// Signs a body as an attempt sends it at `now`.
pub fn sign(secrets: &SigningSecrets, now: Moment, webhook_id: &str, body: &[u8]) -> Signed {
    let timestamp = now.seconds();
    let head = format!("{webhook_id}.{timestamp}.");
    let mut signature = String::with_capacity(100);
    secrets.current.sign_into(&mut signature, &head, body);
    let previous = secrets.previous.as_ref();
    let previous = previous.filter(|(_, until)| *until > now);
    if let Some((previous, _)) = previous {
        signature.push(' ');
        previous.sign_into(&mut signature, &head, body);
    }
    if let Some(current) = &secrets.keys.current {
        let message = [head.as_bytes(), body].concat();
        let previous = previous.and(secrets.keys.previous.as_ref());
        for key in [Some(current), previous].into_iter().flatten() {
            signature.push(' ');
            key.sign_into(&mut signature, &message);
        }
    }
    Signed {
        timestamp,
        signature,
    }
}

impl FromStr for SigningSecret {
    type Err = SecretFault;

    fn from_str(text: &str) -> Result<SigningSecret, SecretFault> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretFault::Syntax)?;
        let bytes = BASE64.decode(encoded).map_err(|_| SecretFault::Syntax)?;
        SigningSecret::from_bytes(&bytes)
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signing_key::SigningKey;

    /// The vector that implementations of Standard Webhooks share.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    const AT: Moment = Moment::from_microseconds(1_614_265_330_999_999);

    fn secrets(previous: Option<(SigningSecret, Moment)>) -> SigningSecrets {
        SigningSecrets {
            current: SECRET.parse().expect("a secret"),
            previous,
            keys: SigningKeys::default(),
        }
    }

    #[test]
    fn the_shared_vector_is_signed_as_everybody_signs_it() {
        let signed = sign(&secrets(None), AT, ID, BODY);
        assert_eq!(signed.timestamp, 1_614_265_330);
        assert_eq!(signed.signature, SIGNATURE);
    }

    #[test]
    fn during_a_rotation_both_secrets_sign_the_current_one_first() {
        let previous = SigningSecret::from_bytes(&[1; 24]).expect("a secret");
        let alone = SigningSecrets {
            current: previous.clone(),
            previous: None,
            keys: SigningKeys::default(),
        };
        let old = sign(&alone, AT, ID, BODY).signature;
        let one = std::time::Duration::from_micros(1);
        let cases = [(AT + one, true), (AT, false), (AT - one, false)];
        for (until, signs) in cases {
            let signed = sign(&secrets(Some((previous.clone(), until))), AT, ID, BODY);
            let expected = if signs {
                format!("{SIGNATURE} {old}")
            } else {
                SIGNATURE.to_owned()
            };
            assert_eq!(signed.signature, expected, "{until}");
        }
    }

    #[test]
    fn keys_sign_beside_the_secrets_and_the_one_before_for_as_long() {
        let [new, old] = [2, 1].map(|byte| SigningKey::from_seed([byte; 32]));
        let secret = SigningSecret::from_bytes(&[1; 24]).expect("a secret");
        let second = std::time::Duration::from_secs(1);
        let schemes = |until: Moment, current: Option<&SigningKey>| {
            let mut secrets = secrets(Some((secret.clone(), until)));
            secrets.keys = SigningKeys {
                current: current.cloned(),
                previous: Some(old.clone()),
            };
            sign(&secrets, AT, ID, BODY).signature
        };
        let of = |key: &SigningKey| {
            let mut signed = String::new();
            let message = format!("{ID}.1614265330.");
            key.sign_into(&mut signed, &[message.as_bytes(), BODY].concat());
            signed
        };
        let overlapping = schemes(AT + second, Some(&new));
        let parts: Vec<&str> = overlapping.split(' ').collect();
        assert_eq!(parts[0], SIGNATURE);
        assert!(parts[1].starts_with("v1,"));
        assert_eq!(parts[2..], [of(&new), of(&old)]);
        assert_eq!(schemes(AT, Some(&new)), format!("{SIGNATURE} {}", of(&new)));
        assert_eq!(schemes(AT, None), SIGNATURE);
    }

    #[test]
    fn id_time_and_body_are_all_signed() {
        let signature = |at, id, body| sign(&secrets(None), at, id, body).signature;
        let second = std::time::Duration::from_secs(1);
        let all = [
            signature(AT, ID, BODY),
            signature(AT + second, ID, BODY),
            signature(AT, "msg_other", BODY),
            signature(AT, ID, b"{}"),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }

    #[test]
    fn secrets_are_24_to_64_bytes_behind_a_prefix_and_never_shown() {
        let cases = [
            (23, Err(SecretFault::Length(23))),
            (24, Ok(24)),
            (64, Ok(64)),
            (65, Err(SecretFault::Length(65))),
        ];
        for (length, expected) in cases {
            let text = format!("whsec_{}", BASE64.encode(vec![7; length]));
            let secret = text.parse::<SigningSecret>();
            assert_eq!(
                secret.as_ref().map(|secret| secret.as_bytes().len()),
                expected.as_ref().copied()
            );
            if let Ok(secret) = secret {
                assert_eq!(secret.to_text(), text);
                assert_eq!(format!("{secret:?}"), "SigningSecret");
            }
        }
        for text in ["", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%%%", "whsec"] {
            assert_eq!(
                text.parse::<SigningSecret>().err(),
                Some(SecretFault::Syntax),
                "{text}"
            );
        }
    }
}
