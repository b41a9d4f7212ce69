//! Mails that wait to be sent: rows that the transaction writes that gives the reason for them.

use std::sync::Arc;

use async_trait::async_trait;
use domain::id::MailId;
use domain::letter::Letter;
use domain::time::Moment;

use crate::error::StoreError;

/// Most mails that wait. A mail server that is down for days must not fill the disk, and news of last week help nobody:
/// beyond it the oldest are dropped, and the operators are told.
pub const MAILS_WAITING_MAX: usize = 10_000;

/// A mail that waits to be sent.
#[derive(Clone, Debug)]
pub struct WaitingMail {
    /// Its identity; that of a mail that was sent may be given again.
    pub id: MailId,
    /// The same on every attempt, and never given again: the part of its Message-ID before the @.
    pub message_id: String,
    /// What is to be sent.
    pub letter: Letter,
    /// How many attempts failed.
    pub attempts: u32,
    /// When it was written.
    pub created_at: Moment,
}

/// Mails that are due.
#[derive(Clone, Debug, Default)]
pub struct DueMails {
    /// The mails, those due first first.
    pub mails: Vec<WaitingMail>,
    /// Those due that cannot be read any more; they can only be given up.
    pub unreadable: Vec<MailId>,
    /// When the first of those that are not due yet is; those due that were not asked for aside.
    pub next_due_at: Option<Moment>,
}

/// What an attempt to send a mail leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailStep {
    /// It was taken: the row is gone.
    Sent,
    /// It is tried again.
    Retry {
        /// When.
        at: Moment,
    },
    /// It is given up: the row is gone, and the operators are told.
    GiveUp {
        /// Why, in words; without what the mail says.
        reason: String,
        /// When.
        at: Moment,
    },
}

/// Told after each commit that left mails to send, from the store's own thread.
pub type MailWaker = Arc<dyn Fn() + Send + Sync>;

/// The mails that wait.
#[async_trait]
pub trait Mails {
    /// From now on `waker` is told of new mails.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn own_mails(&self, waker: MailWaker) -> Result<(), StoreError>;

    /// Up to `limit` mails that are due at `now`.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn due_mails(&self, now: Moment, limit: usize) -> Result<DueMails, StoreError>;

    /// Records what became of a mail; one that is gone is passed over.
    ///
    /// # Errors
    /// When nothing was recorded.
    async fn record_mail(&self, id: MailId, step: MailStep) -> Result<(), StoreError>;
}
