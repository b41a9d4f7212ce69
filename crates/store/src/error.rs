//! Why something was not done.

use std::fmt;

use crate::seal::SealFault;

/// A fault of the store itself; the caller is not to blame and nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// No work is taken just now: the disk is full, the store is closing, or its queue is full.
    /// Trying again later makes sense.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// Something that was read back makes no sense.
    #[error("unreadable: {table} {id}: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The row.
        id: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else, in the engine's words; a defect of ours.
    #[error("the store failed: {0}")]
    Failed(String),
}

/// One thing that the caller asked for and cannot have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The parameter, nested as `statuses[2]`.
    pub attr: String,
    /// What is wrong with it, and what to do.
    pub message: String,
}

/// Why a change was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The caller asked for something that cannot be; every such thing is named.
    #[error("refused: {}", Listed(.0))]
    Refused(Vec<Refusal>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// A refusal of the named parameter.
    pub fn new(attr: impl Into<String>, message: impl Into<String>) -> Self {
        Refusal {
            attr: attr.into(),
            message: message.into(),
        }
    }
}

impl Rejection {
    /// The refusal of a single parameter.
    pub fn of(attr: impl Into<String>, message: impl Into<String>) -> Self {
        Rejection::Refused(vec![Refusal::new(attr, message)])
    }
}

impl From<SealFault> for StoreError {
    fn from(fault: SealFault) -> StoreError {
        StoreError::Failed(fault.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> StoreError {
        StoreError::Failed(format!("JSON: {error}"))
    }
}

/// For work that refuses nothing: a refusal there is a defect of ours.
impl From<Rejection> for StoreError {
    fn from(rejection: Rejection) -> StoreError {
        match rejection {
            Rejection::Store(error) => error,
            refused @ Rejection::Refused(_) => StoreError::Failed(refused.to_string()),
        }
    }
}

struct Listed<'a>(&'a [Refusal]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(out, "{separator}{} {}", refusal.attr, refusal.message)?;
        }
        Ok(())
    }
}
