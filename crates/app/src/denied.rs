//! Why a use case was not carried out.

use store::{Refusal, Rejection, StoreError};

use crate::mailer::MailFailed;

/// What is said of an id that does not exist, and of one that the caller may not see.
pub const DOES_NOT_EXIST: &str = "does not exist";

/// Why a use case was not carried out; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The token is nobody's.
    #[error("the token is not good")]
    InvalidToken,
    /// The session is over.
    #[error("the session is over")]
    SessionExpired,
    /// The user has no role yet.
    #[error("the user has no role")]
    ClientRequired,
    /// The caller may never do this.
    #[error("the caller may not do this")]
    Forbidden,
    /// Address and password, or link, do not sign anybody in.
    #[error("the credentials are not good")]
    InvalidCredentials,
    /// Too many tries.
    #[error("too many tries")]
    TooMany {
        /// After how many seconds the next one is welcome.
        retry_after_seconds: u32,
    },
    /// The caller asked for something that cannot be; every such thing is named.
    #[error("refused: {} parameters", .0.len())]
    Refused(Vec<Refusal>),
    /// A mail that belongs to the request could not be sent.
    #[error("a mail could not be sent: {0}")]
    MailFailed(#[from] MailFailed),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Denied {
    /// The parameter names a record that does not exist, or that the caller may not see.
    pub fn does_not_exist(attr: &str) -> Denied {
        Denied::Refused(vec![Refusal::new(attr, DOES_NOT_EXIST)])
    }
}

impl From<Rejection> for Denied {
    fn from(rejection: Rejection) -> Denied {
        match rejection {
            Rejection::Refused(refusals) => Denied::Refused(refusals),
            Rejection::Store(error) => Denied::Store(error),
        }
    }
}
