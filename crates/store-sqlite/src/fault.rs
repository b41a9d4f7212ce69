//! What goes wrong inside this store, and how the callers are told.

use store::{Refusal, Rejection, SealFault, StoreError};

/// Why a unit of work was not done.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The caller asked for something that cannot be.
    Refused(Vec<Refusal>),
    /// The store is at fault.
    Store(StoreError),
    /// SQLite is at fault.
    Sql(rusqlite::Error),
}

impl Fault {
    /// The refusal of a single parameter.
    pub(crate) fn refused(attr: impl Into<String>, message: impl Into<String>) -> Fault {
        Fault::Refused(vec![Refusal::new(attr, message)])
    }

    /// Something that was read back makes no sense.
    pub(crate) fn corrupt(table: &'static str, id: i64, reason: impl ToString) -> Fault {
        Fault::Store(StoreError::Corrupt {
            table,
            id,
            reason: reason.to_string(),
        })
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Fault {
        Fault::Store(error)
    }
}

impl From<SealFault> for Fault {
    fn from(fault: SealFault) -> Fault {
        Fault::Store(fault.into())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Fault {
        Fault::Store(error.into())
    }
}

impl From<Fault> for Rejection {
    fn from(fault: Fault) -> Rejection {
        match fault {
            Fault::Refused(refusals) => Rejection::Refused(refusals),
            Fault::Store(error) => Rejection::Store(error),
            Fault::Sql(error) => Rejection::Store(of_sqlite(&error)),
        }
    }
}

impl From<Fault> for StoreError {
    /// For work that refuses nothing: a refusal there is a defect.
    fn from(fault: Fault) -> StoreError {
        StoreError::from(Rejection::from(fault))
    }
}

/// Whether trying again later makes sense is all that callers can act on.
pub(crate) fn of_sqlite(error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode as Code;
    match error.sqlite_error_code() {
        Some(Code::DiskFull) => {
            StoreError::Unavailable("the disk is full; free some space".to_owned())
        }
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => {
            StoreError::Unavailable("another process holds the database; try again".to_owned())
        }
        Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied) => {
            StoreError::Unavailable(format!("the data folder cannot be written: {error}"))
        }
        Some(Code::SystemIoFailure | Code::OutOfMemory) => {
            StoreError::Unavailable(format!("the disk or memory fails: {error}"))
        }
        _ => StoreError::Failed(error.to_string()),
    }
}
