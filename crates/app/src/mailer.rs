//! Mails that a request itself must send, as the use cases need them.

use async_trait::async_trait;
use domain::letter::Letter;

/// Why a mail could not be sent, in words for the operators; never an address or what the mail says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MailFailed(pub String);

/// Sends mails at once.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends all letters, or says why one of them was not taken within a few seconds.
    ///
    /// # Errors
    /// When the mail server takes one of them not.
    async fn send(&self, letters: Vec<Letter>) -> Result<(), MailFailed>;
}
