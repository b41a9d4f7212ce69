//! The outbox: sends what waits in the store, until it is taken or given up.
//!
//! Each mail's row is removed right after the mail was taken, and before the next one of its place is begun: after a
//! kill only what was in flight is sent again, with the same Message-ID.

use std::sync::Arc;
use std::time::Duration;

use domain::id::MailId;
use futures_util::{StreamExt, stream};
use store::{MailStep, Mails, StoreError, WaitingMail};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::post::Post;
use crate::transport::SendFault;

/// Mails that are sent at once: mail servers dislike more connections from one place.
const IN_FLIGHT_MAX: usize = 4;
/// Mails that are taken from the store together; each may hold a megabyte.
const MAILS_PER_ROUND_MAX: usize = 16;
/// The wait after a first failure, in seconds; doubled each time up to [`WAIT_SECONDS_MAX`].
const WAIT_SECONDS: u64 = 2;
/// The longest wait between two attempts, in seconds: an hour.
const WAIT_SECONDS_MAX: u64 = 60 * 60;
/// Attempts after which a mail is given up: by the waits above, two days after the first.
const ATTEMPTS_MAX: u32 = 60;
/// How often the store is looked at though nothing is due, in seconds: the wall clock may have jumped.
const LOOK_SECONDS: u64 = 60;
/// The pause while the store fails, in seconds.
const STORE_PAUSE_SECONDS: u64 = 2;

/// A running outbox.
pub struct Outbox {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// What the loop works with.
struct Loop {
    store: Arc<dyn Mails + Send + Sync>,
    post: Arc<Post>,
    wake: Arc<Notify>,
    stop: CancellationToken,
}

impl Outbox {
    /// Begins to send what waits, on the current runtime.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn start(
        store: Arc<dyn Mails + Send + Sync>,
        post: Arc<Post>,
    ) -> Result<Outbox, StoreError> {
        let wake = Arc::new(Notify::new());
        let bell = wake.clone();
        store.own_mails(Arc::new(move || bell.notify_one())).await?;
        let stop = CancellationToken::new();
        let work = Loop {
            store,
            post,
            wake,
            stop: stop.clone(),
        };
        let task = tokio::spawn(async move { work.run().await });
        Ok(Outbox { stop, task })
    }

    /// Begins no more mails and lets those in flight end within `grace`; then they are cut off, and sent again at the
    /// next start.
    pub async fn shutdown(mut self, grace: Duration) {
        self.stop.cancel();
        if tokio::time::timeout(grace, &mut self.task).await.is_err() {
            tracing::warn!("mails in flight were cut off; they are sent again at the next start");
            self.task.abort();
        }
    }
}

impl Loop {
    async fn run(&self) {
        let mut is_failing = false;
        while !self.stop.is_cancelled() {
            let pause = match self.round().await {
                Ok(pause) => {
                    is_failing = false;
                    pause
                }
                Err(error) => {
                    if !is_failing {
                        tracing::error!(%error, "the mails that wait cannot be read; tried until they are");
                    }
                    is_failing = true;
                    Duration::from_secs(STORE_PAUSE_SECONDS)
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = self.wake.notified(), if !is_failing => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Sends what is due. Returns how long nothing will be.
    async fn round(&self) -> Result<Duration, StoreError> {
        let now = self.post.now();
        let due = self.store.due_mails(now, MAILS_PER_ROUND_MAX).await?;
        let has_some = !due.mails.is_empty() || !due.unreadable.is_empty();
        for id in due.unreadable {
            let reason = "what it says cannot be read any more".to_owned();
            let at = self.post.now();
            self.record(id, MailStep::GiveUp { reason, at }).await;
        }
        stream::iter(due.mails)
            .for_each_concurrent(IN_FLIGHT_MAX, |mail| self.send(mail))
            .await;
        if has_some {
            return Ok(Duration::ZERO);
        }
        let look = Duration::from_secs(LOOK_SECONDS);
        let next = due.next_due_at.map(|at| at.since(self.post.now()));
        Ok(next.map_or(look, |next| next.min(look)))
    }

    async fn send(&self, mail: WaitingMail) {
        if self.stop.is_cancelled() {
            return;
        }
        let (letter, message_id) = (&mail.letter, &mail.message_id);
        let sent = self
            .post
            .send(letter, Some(message_id), mail.created_at)
            .await;
        let mail_id = mail.id.0;
        let attempts = mail.attempts + 1;
        let now = self.post.now();
        let step = match sent {
            Ok(()) => {
                tracing::info!(mail_id, attempts, "mail sent");
                MailStep::Sent
            }
            Err(SendFault::Passing(reason)) if attempts < ATTEMPTS_MAX => {
                tracing::warn!(mail_id, attempts, reason, "mail not sent; tried again");
                let at = now + wait_after(attempts);
                MailStep::Retry { at }
            }
            Err(SendFault::Passing(reason) | SendFault::Final(reason)) => {
                tracing::error!(mail_id, attempts, reason, "mail given up");
                MailStep::GiveUp { reason, at: now }
            }
        };
        self.record(mail.id, step).await;
    }

    /// Records what became of a mail, however long the store fails: one that was sent must not be sent again.
    async fn record(&self, id: MailId, step: MailStep) {
        let mut is_told = false;
        while let Err(error) = self.store.record_mail(id, step.clone()).await {
            if !is_told {
                tracing::error!(mail_id = id.0, %error, "what became of a mail cannot be recorded; tried until it is");
            }
            is_told = true;
            tokio::time::sleep(Duration::from_secs(STORE_PAUSE_SECONDS)).await;
        }
    }
}

/// How long to wait after so many failures.
fn wait_after(attempts: u32) -> Duration {
    let doublings = attempts.saturating_sub(1).min(u64::BITS - 1);
    let seconds = WAIT_SECONDS.saturating_mul(1 << doublings);
    Duration::from_secs(seconds.min(WAIT_SECONDS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_an_hour_and_last_two_days_together() {
        let waits: Vec<u64> = (1..ATTEMPTS_MAX).map(|n| wait_after(n).as_secs()).collect();
        assert_eq!(waits[..4], [2, 4, 8, 16]);
        assert_eq!(waits[10..13], [2_048, 3_600, 3_600]);
        let days = waits.iter().sum::<u64>() / (24 * 60 * 60);
        assert_eq!(days, 2);
        assert_eq!(wait_after(u32::MAX).as_secs(), WAIT_SECONDS_MAX);
    }
}
