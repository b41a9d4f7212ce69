//! Why a use case was not carried out.

use store::{Refusal, Rejection, StoreError};

/// What is said of an id that does not exist, and of one that the caller may not see.
pub const DOES_NOT_EXIST: &str = "does not exist";

/// Why a use case was not carried out; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The caller may never do this.
    #[error("the caller may not do this")]
    Forbidden,
    /// The caller asked for something that cannot be; every such thing is named.
    #[error("refused: {} parameters", .0.len())]
    Refused(Vec<Refusal>),
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
