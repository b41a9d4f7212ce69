//! Mandrill's API (`messages/send`), or a gateway that speaks it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Certificate, Client, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::message::{AUTO_SUBMITTED, Message, PAYLOAD_FILE};
use crate::transport::{BadTransport, SendFault, reason};

/// The most bytes of an answer that are read: it speaks of one recipient.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;

pub(crate) struct Mandrill {
    client: Client,
    key: String,
    endpoint: Url,
}

/// What became of the mail for a recipient.
#[derive(Deserialize)]
struct Receipt {
    status: String,
    reject_reason: Option<String>,
}

/// An answer that is no list of receipts.
#[derive(Deserialize)]
struct Refusal {
    name: String,
    message: String,
}

impl Mandrill {
    pub(crate) fn new(
        key: &str,
        endpoint: &Url,
        extra_ca_pem: Option<&[u8]>,
    ) -> Result<Mandrill, BadTransport> {
        let bad = |error: reqwest::Error| BadTransport(error.to_string());
        // Nothing but the setting decides where mails go: neither the environment nor a redirect.
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none());
        if let Some(pem) = extra_ca_pem {
            for certificate in Certificate::from_pem_bundle(pem).map_err(bad)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Ok(Mandrill {
            client: builder.build().map_err(bad)?,
            key: key.to_owned(),
            endpoint: endpoint.clone(),
        })
    }

    /// Reaches the API. Whether the key is good only a mail tells.
    pub(crate) async fn check(&self) -> Result<(), SendFault> {
        let reached = self.client.get(self.endpoint.clone()).send().await;
        reached.map(|_| ()).map_err(unreachable)
    }

    pub(crate) async fn send(&self, message: &Message) -> Result<(), SendFault> {
        let body = json!({ "key": self.key, "message": fields(message), "async": false });
        let request = self
            .client
            .post(self.endpoint.clone())
            .header("content-type", "application/json")
            .body(body.to_string());
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(SendFault::Passing("the answer is too long".to_owned()));
            }
            bytes.extend_from_slice(&chunk);
        }
        if status.is_success() {
            judge(&bytes)
        } else {
            Err(refusal(status.as_u16(), &bytes))
        }
    }
}

fn fields(message: &Message) -> Value {
    let (name, value) = AUTO_SUBMITTED;
    let mut headers = json!({ name: value });
    if let Some(id) = &message.message_id {
        headers["Message-Id"] = json!(id);
    }
    let payload = message.payload.iter();
    let attachments: Vec<Value> = payload
        .map(|payload| {
            json!({ "type": "application/json", "name": PAYLOAD_FILE, "content": BASE64.encode(payload) })
        })
        .collect();
    json!({
        "from_email": message.from.email.to_string(),
        "from_name": message.from.name.as_deref().unwrap_or_default(),
        "to": [{ "email": message.to.to_string(), "type": "to" }],
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "headers": headers,
        "attachments": attachments,
        "track_opens": false,
        "track_clicks": false,
    })
}

fn unreachable(error: reqwest::Error) -> SendFault {
    // Without the address, as everywhere; the cause says more than the outermost words.
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    SendFault::Passing(reason(&format!("{error}{}", cause.unwrap_or_default())))
}

fn judge(bytes: &[u8]) -> Result<(), SendFault> {
    let receipts: Result<Vec<Receipt>, _> = serde_json::from_slice(bytes);
    let Ok([receipt]) = receipts.as_deref() else {
        let reason = "the answer is no receipt for one recipient".to_owned();
        return Err(SendFault::Passing(reason));
    };
    match receipt.status.as_str() {
        "sent" | "queued" | "scheduled" => Ok(()),
        status => {
            let why = receipt.reject_reason.as_deref().unwrap_or("no reason told");
            Err(SendFault::Final(reason(&format!("{status}: {why}"))))
        }
    }
}

/// A mail that Mandrill finds invalid stays so; everything else (key, account, their own faults) can be mended.
fn refusal(status: u16, bytes: &[u8]) -> SendFault {
    match serde_json::from_slice::<Refusal>(bytes) {
        Ok(Refusal { name, message }) => {
            let text = reason(&format!("{name}: {message}"));
            match name.as_str() {
                "ValidationError" => SendFault::Final(text),
                _ => SendFault::Passing(text),
            }
        }
        Err(_) => SendFault::Passing(format!("answered {status}")),
    }
}
