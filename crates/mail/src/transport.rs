//! The ways out, behind one function.

use std::path::PathBuf;
use std::time::Duration;

use domain::time::Moment;

use crate::file;
use crate::mail_url::MailUrl;
use crate::mandrill::Mandrill;
use crate::message::Message;
use crate::smtp::Smtp;

/// How long one mail may take, in seconds: mail servers that check senders take their time, and a megabyte goes over.
const SEND_SECONDS_MAX: u64 = 30;
/// The most characters of what a mail server says that are kept.
const REASON_CHARS_MAX: usize = 300;

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// It may work later.
    #[error("{0}")]
    Passing(String),
    /// This mail will never be taken.
    #[error("{0}")]
    Final(String),
}

/// Why a way cannot be set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mails cannot be sent this way: {0}")]
pub struct BadTransport(pub(crate) String);

/// A way for mails, ready to send.
pub struct Transport(Way);

enum Way {
    Smtp(Box<Smtp>),
    Mandrill(Mandrill),
    File(PathBuf),
}

impl Transport {
    /// Sets the way up; nothing is connected or written yet. `extra_ca_pem` is trusted beside the usual authorities.
    ///
    /// # Errors
    /// [`BadTransport`].
    pub fn new(url: &MailUrl, extra_ca_pem: Option<&[u8]>) -> Result<Transport, BadTransport> {
        Ok(Transport(match url {
            MailUrl::Smtp(url) => Way::Smtp(Box::new(Smtp::new(url, extra_ca_pem)?)),
            MailUrl::Mandrill { key, endpoint } => {
                Way::Mandrill(Mandrill::new(key, endpoint, extra_ca_pem)?)
            }
            MailUrl::File(folder) => Way::File(folder.clone()),
        }))
    }

    /// Whether mails would be taken, without sending one: a mail server is signed in to, an API is reached. Files need nobody.
    ///
    /// # Errors
    /// [`SendFault`].
    pub async fn check(&self) -> Result<(), SendFault> {
        match &self.0 {
            Way::Smtp(smtp) => smtp.check().await,
            Way::Mandrill(mandrill) => mandrill.check().await,
            Way::File(_) => Ok(()),
        }
    }

    /// Sends one mail within [`SEND_SECONDS_MAX`]. When it is cut off, nobody knows whether it was taken.
    ///
    /// # Errors
    /// [`SendFault`].
    pub(crate) async fn send(&self, message: &Message, now: Moment) -> Result<(), SendFault> {
        let sending = async {
            match &self.0 {
                Way::Smtp(smtp) => smtp.send(message).await,
                Way::Mandrill(mandrill) => mandrill.send(message).await,
                Way::File(folder) => file::write(folder, message, now).await,
            }
        };
        let sent = tokio::time::timeout(Duration::from_secs(SEND_SECONDS_MAX), sending).await;
        sent.unwrap_or_else(|_| {
            let reason = format!("the mail server took longer than {SEND_SECONDS_MAX} seconds");
            Err(SendFault::Passing(reason))
        })
    }
}

/// What somebody else said, on one line and not endless.
pub(crate) fn reason(text: &str) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    plain.take(REASON_CHARS_MAX).collect()
}
