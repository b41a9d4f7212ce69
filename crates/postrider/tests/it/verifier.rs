//! Other people's verifier judges a captured delivery, byte for byte.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::receiver::Reply;
use crate::harness::{Received, Receiver, Server};

/// Reads a delivery from standard input and verifies it with the package `standardwebhooks`.
const VERIFY: &str = r#"
import base64, json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
given = json.load(sys.stdin)
body = base64.b64decode(given["body"])
payload = Webhook(given["secret"]).verify(body, given["headers"])
assert payload == json.loads(body)
for change in (body + b" ", body.replace(b"scheduled", b"completed")):
    try:
        Webhook(given["secret"]).verify(change, given["headers"])
    except WebhookVerificationError:
        continue
    sys.exit("a changed body passed")
print("verified", given["headers"]["webhook-id"])
"#;

/// Reads a delivery and a public key, and verifies the signature of the scheme `v1a` with the package `pynacl`.
const VERIFY_KEY: &str = r#"
import base64, json, sys
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey
given = json.load(sys.stdin)
headers, body = given["headers"], base64.b64decode(given["body"])
assert given["secret"].startswith("whpk_")
key = VerifyKey(base64.b64decode(given["secret"][5:]))
message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
def verifies(message):
    for signature in headers["webhook-signature"].split(" "):
        scheme, text = signature.split(",")
        try:
            if scheme == "v1a" and key.verify(message, base64.b64decode(text)):
                return True
        except BadSignatureError:
            pass
    return False
if not verifies(message) or verifies(message + b" "):
    sys.exit("not signed with this key")
print("verified", headers["webhook-id"])
"#;

/// The Python that has the verifiers.
pub fn python() -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin/python");
    assert!(
        python.exists(),
        "run scripts/test, which installs the verifiers into .venv"
    );
    python
}

fn verify(secret: &str, delivery: &Received) -> String {
    judged(VERIFY, secret, delivery).expect("the verifier refuses the delivery")
}

/// What a verifier says of a delivery; nothing where it refuses it.
fn judged(verifier: &str, secret: &str, delivery: &Received) -> Option<String> {
    let headers: serde_json::Map<String, Value> = delivery
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let body = data_encoding(&delivery.body);
    let given = json!({ "secret": secret, "headers": headers, "body": body });
    let mut child = Command::new(python())
        .args(["-c", verifier])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut stdin = child.stdin.take().expect("piped");
    stdin
        .write_all(given.to_string().as_bytes())
        .expect("written");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8(output.stdout).expect("text");
    output.status.success().then_some(said)
}

fn data_encoding(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn standardwebhooks_verifies_a_delivery_and_its_retry_under_the_same_id() {
    let mut server = Server::start_with(&["--retry-schedule", "100ms"]);
    let receiver =
        Receiver::scripted(|_, before| Reply::Status(if before == 0 { 500 } else { 200 }, vec![]));
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let secret = sub["signing_secret"].as_str().expect("a secret");
    server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(2);
    let told: Vec<String> = got
        .iter()
        .map(|delivery| verify(secret, delivery))
        .collect();
    assert_eq!(told[0], told[1]);
    assert!(told[0].starts_with("verified msg_"), "{}", told[0]);
}

#[test]
fn during_a_rotation_both_secrets_verify_and_afterwards_only_the_new_one() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    let old = sub["signing_secret"].as_str().expect("a secret").to_owned();
    let rotate = |overlap: i64| json!({ "integration_id": integration, "id": sub["id"], "overlap_seconds": overlap });
    let new = server
        .call("webhook_out_subs/rotate_secret", rotate(3_600))
        .data();
    let new = new["signing_secret"].as_str().expect("a secret").to_owned();
    server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(1).remove(0);
    verify(&old, &got);
    verify(&new, &got);
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
    let newest = server
        .call("webhook_out_subs/rotate_secret", rotate(0))
        .data();
    server.report(integration, "A-2", "scheduled");
    let got = receiver.wait_for(2).remove(1);
    verify(newest["signing_secret"].as_str().expect("a secret"), &got);
    assert_eq!(got.header("webhook-signature").split(' ').count(), 1);
}

#[test]
fn pynacl_verifies_signatures_with_a_key_through_a_rotation() {
    let mut server = Server::start();
    let receiver = Receiver::start();
    let integration = server.integration("a");
    let sub = server.subscribe(integration, "crm", &receiver.url("/"));
    assert_eq!(
        (&sub["asymmetric_signature"], &sub["public_key"]),
        (&json!(false), &Value::Null)
    );
    let id = json!({ "integration_id": integration, "id": sub["id"] });
    let mut switch = |on: bool| {
        let mut parameters = id.clone();
        parameters["version"] = json!("v3");
        parameters["asymmetric_signature"] = json!(on);
        let sub = server.call("webhook_out_subs/update", parameters).data();
        sub["public_key"].as_str().map(str::to_owned)
    };
    let old = switch(true).expect("a key");
    assert_eq!(switch(true).as_ref(), Some(&old), "it has one already");
    server.report(integration, "A-1", "scheduled");
    let got = receiver.wait_for(1).remove(0);
    assert!(judged(VERIFY_KEY, &old, &got).is_some());
    let shown = server.call("webhook_out_subs/secret", id.clone()).data();
    verify(shown["signing_secret"].as_str().expect("a secret"), &got);
    let rotated = server
        .call("webhook_out_subs/rotate_secret", id.clone())
        .data();
    let new = rotated["public_key"].as_str().expect("a key").to_owned();
    assert_ne!(new, old);
    server.kill();
    server.restart();
    server.report(integration, "A-2", "scheduled");
    let got = receiver.wait_for(2).remove(1);
    for key in [&old, &new] {
        assert!(judged(VERIFY_KEY, key, &got).is_some());
    }
    assert_eq!(got.header("webhook-signature").split(' ').count(), 4);
    let events = server.call("audit_events/index", json!({}));
    assert!(events.text.contains("\"secret\""), "{}", events.text);
    assert!(!events.text.contains("whsec_"));
    let mut parameters = id;
    parameters["version"] = json!("v3");
    parameters["asymmetric_signature"] = json!(null);
    server.call("webhook_out_subs/update", parameters).data();
    server.report(integration, "A-3", "scheduled");
    let got = receiver.wait_for(3).remove(2);
    assert!(judged(VERIFY_KEY, &new, &got).is_none());
    assert_eq!(got.header("webhook-signature").split(' ').count(), 2);
}
