//! What test receivers have received: bounded in number and size, and gone with the process.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::signature::{SigningSecret, SigningSecrets, sign};
use domain::signing_key::SigningKeys;
use domain::time::Moment;

/// The host of their callback URLs: a name that never belongs to anybody (RFC 6761 section 6.4).
const HOST: &str = "bin.postrider.invalid";
/// Receivers that are kept; the one that received longest ago goes first.
const RECEIVERS_MAX: usize = 200;
/// Requests that are kept of each.
const REQUESTS_MAX: usize = 20;
/// Most bytes that are kept of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// All of them.
#[derive(Default)]
pub struct TestReceivers {
    known: Mutex<HashMap<String, Receiver>>,
}

#[derive(Default)]
struct Receiver {
    secret: Option<SigningSecret>,
    requests: VecDeque<Received>,
    used_at: Option<Moment>,
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) at: Moment,
    /// Names in lower case, with their values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Whether its signature is the secret's; none where the secret is not known any more.
    pub(crate) verified: Option<bool>,
}

impl TestReceivers {
    /// The host that belongs to them.
    pub const fn host() -> &'static str {
        HOST
    }

    /// Takes a request to the target of a callback URL, such as `/4f1c…`.
    pub fn receive(&self, target: &str, headers: Vec<(String, String)>, body: &[u8], now: Moment) {
        let mut known = self.lock();
        make_room(&mut known, target);
        let receiver = known.entry(target.to_owned()).or_default();
        let verified = receiver
            .secret
            .as_ref()
            .map(|secret| is_signed(secret, &headers, body));
        let kept = body.get(..BODY_BYTES_MAX).unwrap_or(body);
        let body = String::from_utf8_lossy(kept).into_owned();
        receiver.requests.push_front(Received {
            at: now,
            headers,
            body,
            verified,
        });
        receiver.requests.truncate(REQUESTS_MAX);
        receiver.used_at = Some(now);
    }

    /// Makes the secret known by which what arrives is verified.
    pub(crate) fn learn(&self, target: &str, secret: SigningSecret, now: Moment) {
        let mut known = self.lock();
        make_room(&mut known, target);
        let receiver = known.entry(target.to_owned()).or_default();
        receiver.secret = Some(secret);
        receiver.used_at = Some(now);
    }

    /// What arrived, the newest first.
    pub(crate) fn received(&self, target: &str) -> Vec<Received> {
        let known = self.lock();
        let receiver = known.get(target);
        receiver
            .map(|receiver| receiver.requests.iter().cloned().collect())
            .unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Receiver>> {
        // Each change is whole before the lock is let go.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(known: &mut HashMap<String, Receiver>, target: &str) {
    if known.len() < RECEIVERS_MAX || known.contains_key(target) {
        return;
    }
    let oldest = known.iter().min_by_key(|(_, receiver)| receiver.used_at);
    if let Some(oldest) = oldest.map(|(target, _)| target.clone()) {
        known.remove(&oldest);
    }
}

/// As a receiver of Standard Webhooks looks at it: one of the signatures must be that of id, timestamp and body.
fn is_signed(secret: &SigningSecret, headers: &[(String, String)], body: &[u8]) -> bool {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let Ok(seconds) = header("webhook-timestamp").parse::<i64>() else {
        return false;
    };
    let secrets = SigningSecrets {
        current: secret.clone(),
        previous: None,
        keys: SigningKeys::default(),
    };
    let at = Moment::from_microseconds(seconds.saturating_mul(1_000_000));
    let expected = sign(&secrets, at, header("webhook-id"), body).signature;
    header("webhook-signature")
        .split(' ')
        .any(|signature| signature == expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arrives_is_verified_and_bounded() {
        let receivers = TestReceivers::default();
        let secret = SigningSecret::from_bytes(&[7; 32]).expect("long enough");
        let now = Moment::from_microseconds(1_700_000_000_000_000);
        receivers.learn("/a", secret.clone(), now);
        let secrets = SigningSecrets {
            current: secret,
            previous: None,
            keys: SigningKeys::default(),
        };
        let signed = sign(&secrets, now, "msg_1", b"{}");
        let headers = vec![
            ("webhook-id".to_owned(), "msg_1".to_owned()),
            ("webhook-timestamp".to_owned(), signed.timestamp.to_string()),
            (
                "webhook-signature".to_owned(),
                format!("v1,other {}", signed.signature),
            ),
        ];
        receivers.receive("/a", headers.clone(), b"{}", now);
        receivers.receive("/a", headers.clone(), b"{ }", now);
        receivers.receive("/b", headers, b"{}", now);
        let verified: Vec<_> = receivers
            .received("/a")
            .iter()
            .map(|request| request.verified)
            .collect();
        assert_eq!(verified, [Some(false), Some(true)]);
        assert_eq!(receivers.received("/b")[0].verified, None);
        for _ in 0..50 {
            receivers.receive("/c", Vec::new(), &vec![b'a'; 100_000], now);
        }
        let kept = receivers.received("/c");
        assert_eq!(
            (kept.len(), kept[0].body.len()),
            (REQUESTS_MAX, BODY_BYTES_MAX)
        );
        for number in 0..500 {
            receivers.receive(&format!("/{number}"), Vec::new(), b"", now);
        }
        assert_eq!(receivers.lock().len(), RECEIVERS_MAX);
    }
}
