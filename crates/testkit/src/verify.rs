//! What a receiver does to know that a payload is genuine: Standard Webhooks 1.0, scheme `v1`.
//!
//! Written from the specification, apart from `domain::signature`, so that a mistake there is not repeated here.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::time::Moment;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

/// How far the timestamp may be from now, as the reference verifiers have it.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// Why a payload is not taken for genuine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// The secret that the test gave.
    #[error("the secret is not whsec_ and base64")]
    Secret,
    /// A header that must be there once, as text.
    #[error("{0} is absent, given twice, or no text")]
    Header(&'static str),
    /// The time of the attempt.
    #[error("webhook-timestamp is not a number of seconds: {0:?}")]
    Timestamp(String),
    /// The time of the attempt is not near enough to now.
    #[error("webhook-timestamp {0} is more than 5 minutes from now")]
    Tolerance(i64),
    /// Whoever sent it does not know the secret, or something was changed on the way.
    #[error("no signature in {0:?} is that of the secret")]
    Signature(String),
}

/// Checks a request as a receiver that holds `secret` (`whsec_…`) does at `now`.
///
/// # Errors
/// [`Unverified`], the first reason found.
pub fn verify(
    secret: &str,
    now: Moment,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Unverified> {
    let encoded = secret.strip_prefix("whsec_").ok_or(Unverified::Secret)?;
    let key = BASE64.decode(encoded).map_err(|_| Unverified::Secret)?;
    let id = only(headers, "webhook-id")?;
    let timestamp = only(headers, "webhook-timestamp")?;
    let signatures = only(headers, "webhook-signature")?;
    check_time(timestamp, now)?;

    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Unverified::Secret)?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    let expected = BASE64.encode(mac.finalize().into_bytes());
    // Others' schemes may stand beside ours, and a second signature during a rotation.
    let mut signatures_v1 = signatures
        .split(' ')
        .filter_map(|one| one.strip_prefix("v1,"));
    if signatures_v1.any(|one| one == expected) {
        Ok(())
    } else {
        Err(Unverified::Signature(signatures.to_owned()))
    }
}

fn only<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, Unverified> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().map_err(|_| Unverified::Header(name)),
        _ => Err(Unverified::Header(name)),
    }
}

fn check_time(timestamp: &str, now: Moment) -> Result<(), Unverified> {
    let seconds: i64 = timestamp
        .parse()
        .map_err(|_| Unverified::Timestamp(timestamp.to_owned()))?;
    if now.seconds().abs_diff(seconds) > TOLERANCE.as_secs() {
        return Err(Unverified::Tolerance(seconds));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector that implementations of Standard Webhooks share.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const HEADERS: [(&str, &str); 3] = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        (
            "webhook-signature",
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
    ];
    const AT: Moment = Moment::from_microseconds(1_614_265_330_999_999);

    /// The vector's headers, but for those of this name.
    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (known, value) in HEADERS {
            headers.insert(known, value.parse().expect("a header"));
        }
        headers.remove(name);
        for value in values {
            headers.append(name, value.parse().expect("a header"));
        }
        headers
    }

    #[test]
    fn the_shared_vector_is_genuine_within_five_minutes() {
        let headers = headers("other", &[]);
        let late = Err(Unverified::Tolerance(1_614_265_330));
        let second = Duration::from_secs(1);
        let cases = [
            (AT, Ok(())),
            (AT + TOLERANCE, Ok(())),
            (AT - TOLERANCE, Ok(())),
            (AT + TOLERANCE + second, late.clone()),
            (AT - TOLERANCE - second, late),
        ];
        for (now, expected) in cases {
            assert_eq!(verify(SECRET, now, &headers, BODY), expected, "{now}");
        }
    }

    #[test]
    fn one_good_signature_among_others_is_enough() {
        let good = HEADERS[2].1;
        for (signatures, is_genuine) in [
            (format!("v1,AAAA {good}"), true),
            (format!("{good} v1a,AAAA"), true),
            (format!("v2{}", &good[2..]), false),
            (good[3..].to_owned(), false),
            (good.replace("g0", "G0"), false),
        ] {
            let headers = headers("webhook-signature", &[&signatures]);
            let result = verify(SECRET, AT, &headers, BODY);
            assert_eq!(result.is_ok(), is_genuine, "{signatures}");
        }
    }

    #[test]
    fn id_time_body_and_secret_all_count() {
        let forged = |headers, body: &[u8], secret: &str| {
            matches!(
                verify(secret, AT, &headers, body),
                Err(Unverified::Signature(_))
            )
        };
        let same = || headers("other", &[]);
        assert!(forged(headers("webhook-id", &["msg_x"]), BODY, SECRET));
        assert!(forged(
            headers("webhook-timestamp", &["1614265331"]),
            BODY,
            SECRET
        ));
        assert!(forged(same(), b"{}", SECRET));
        assert!(forged(same(), BODY, "whsec_AAAA"));
    }

    #[test]
    fn what_is_absent_doubled_or_malformed_is_named() {
        for (name, _) in HEADERS {
            for values in [&[][..], &["1614265330", "1614265330"]] {
                let result = verify(SECRET, AT, &headers(name, values), BODY);
                assert_eq!(result, Err(Unverified::Header(name)));
            }
        }
        let headers = headers("webhook-timestamp", &["now"]);
        assert_eq!(
            verify(SECRET, AT, &headers, BODY),
            Err(Unverified::Timestamp("now".to_owned()))
        );
        for secret in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"] {
            let result = verify(secret, AT, &headers, BODY);
            assert_eq!(result, Err(Unverified::Secret));
        }
    }

    #[test]
    fn what_the_domain_signs_is_genuine() {
        use domain::signature::{SigningSecrets, sign};
        use domain::signing_key::SigningKeys;
        let secrets = SigningSecrets {
            current: SECRET.parse().expect("a secret"),
            previous: None,
            keys: SigningKeys::default(),
        };
        let signed = sign(&secrets, AT, "msg_1", BODY);
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_1".parse().expect("a header"));
        headers.insert("webhook-timestamp", signed.timestamp.into());
        headers.insert(
            "webhook-signature",
            signed.signature.parse().expect("a header"),
        );
        assert_eq!(verify(SECRET, AT, &headers, BODY), Ok(()));
    }
}
