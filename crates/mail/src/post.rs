//! Sending at once.

use std::sync::Arc;
use std::time::Duration;

use domain::letter::Letter;
use domain::time::{Clock, Moment};
use futures_util::future::try_join_all;

use crate::message::Sender;
use crate::transport::{SendFault, Transport};

/// How long a request waits for its mails, all together, in seconds: somebody looks at a page that does not move.
pub const SEND_NOW_SECONDS_MAX: u64 = 5;

/// Sends mails.
pub struct Post {
    sender: Sender,
    transport: Transport,
    clock: Arc<dyn Clock>,
}

impl Post {
    /// Sends as `sender` by `transport`.
    pub fn new(sender: Sender, transport: Transport, clock: Arc<dyn Clock>) -> Post {
        Post {
            sender,
            transport,
            clock,
        }
    }

    /// Sends all letters, or says why one was not taken within [`SEND_NOW_SECONDS_MAX`]; others may have been.
    ///
    /// # Errors
    /// The first fault.
    pub async fn send_now(&self, letters: &[Letter]) -> Result<(), SendFault> {
        let now = self.clock.now();
        let sending = try_join_all(letters.iter().map(|letter| self.send(letter, None, now)));
        let patience = Duration::from_secs(SEND_NOW_SECONDS_MAX);
        match tokio::time::timeout(patience, sending).await {
            Ok(sent) => sent.map(|_| ()),
            Err(_) => {
                let reason = format!("not taken within {SEND_NOW_SECONDS_MAX} seconds");
                Err(SendFault::Passing(reason))
            }
        }
    }

    /// Sends one letter, dated `date`.
    pub(crate) async fn send(
        &self,
        letter: &Letter,
        message_id: Option<&str>,
        date: Moment,
    ) -> Result<(), SendFault> {
        let message = self.sender.message(letter, message_id, date)?;
        self.transport.send(&message, self.clock.now()).await
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }
}
