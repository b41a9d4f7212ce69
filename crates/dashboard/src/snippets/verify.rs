//! With the crates base64, hmac (0.13) and sha2.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Some where a request is genuine. `header` gives the value of a header; `body` is what arrived, byte for byte.
pub fn verify<'h>(
    secret: &str,
    header: impl Fn(&str) -> Option<&'h str>,
    body: &[u8],
) -> Option<()> {
    let (id, timestamp) = (header("webhook-id")?, header("webhook-timestamp")?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    if now.as_secs().abs_diff(timestamp.parse().ok()?) > 300 {
        return None; // too old, or a clock is wrong
    }
    let key = BASE64.decode(secret.strip_prefix("whsec_")?).ok()?;
    let mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    let mac = mac
        .chain_update(format!("{id}.{timestamp}."))
        .chain_update(body);
    // There are several while a secret is replaced.
    header("webhook-signature")?
        .split(' ')
        .find_map(|signature| {
            let given = BASE64.decode(signature.strip_prefix("v1,")?).ok()?;
            mac.clone().verify_slice(&given).ok()
        })
}
