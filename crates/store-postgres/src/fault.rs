//! What goes wrong inside this store, and how the callers are told.

use deadpool_postgres::PoolError;
use store::{Refusal, Rejection, SealFault, StoreError};
use tokio_postgres::error::SqlState;

/// Why a unit of work was not done.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The caller asked for something that cannot be.
    Refused(Vec<Refusal>),
    /// The store is at fault.
    Store(StoreError),
    /// PostgreSQL is at fault, or the way to it.
    Sql(tokio_postgres::Error),
    /// Somebody else was faster with the same thing: done again, it goes well or is refused.
    Raced,
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

    /// Whether the same work may well succeed when it is done again at once.
    pub(crate) fn is_passing(&self) -> bool {
        let Fault::Sql(error) = self else {
            return matches!(self, Fault::Raced);
        };
        let passing = [
            &SqlState::T_R_SERIALIZATION_FAILURE,
            &SqlState::T_R_DEADLOCK_DETECTED,
            // Two did at once what each may do alone; the second look refuses it in words.
            &SqlState::UNIQUE_VIOLATION,
        ];
        error.code().is_some_and(|code| passing.contains(&code))
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Fault {
        Fault::Sql(error)
    }
}

impl From<PoolError> for Fault {
    fn from(error: PoolError) -> Fault {
        match error {
            PoolError::Backend(error) => Fault::Sql(error),
            PoolError::Closed => unavailable("the store is closing"),
            PoolError::Timeout(_) => unavailable("all connections to the database are in use"),
            other => unavailable(&format!("the database cannot be reached: {other}")),
        }
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
            Fault::Sql(error) => Rejection::Store(of_postgres(&error)),
            Fault::Raced => Rejection::Store(StoreError::Unavailable(
                "too many change the same at once; try again".to_owned(),
            )),
        }
    }
}

impl From<Fault> for StoreError {
    /// For work that refuses nothing: a refusal there is a defect.
    fn from(fault: Fault) -> StoreError {
        StoreError::from(Rejection::from(fault))
    }
}

pub(crate) fn unavailable(reason: &str) -> Fault {
    Fault::Store(StoreError::Unavailable(reason.to_owned()))
}

/// Whether trying again later makes sense is all that callers can act on.
fn of_postgres(error: &tokio_postgres::Error) -> StoreError {
    let Some(said) = error.as_db_error() else {
        // No answer at all: the way to the database is cut, or it has ended.
        // The cause says more than the outermost words: which certificate, or that nobody listens.
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        let cause = cause.unwrap_or_default();
        return StoreError::Unavailable(format!("the database cannot be reached: {error}{cause}"));
    };
    let said_so = format!("the database says: {}", said.message());
    if passes(said.code()) {
        StoreError::Unavailable(said_so)
    } else {
        StoreError::Failed(format!("{said_so} ({})", said.code().code()))
    }
}

/// Whether the same may well succeed later.
fn passes(code: &SqlState) -> bool {
    // By the classes of PostgreSQL's appendix A: connections, transactions, resources, the operator, the system.
    let classes = ["08", "40", "53", "55", "57", "58"];
    let others = [
        // A server that was a standby a moment ago, or is one again.
        &SqlState::READ_ONLY_SQL_TRANSACTION,
        // This node stood still in the middle of a transaction, which is undone.
        &SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    others.contains(&code) || classes.iter().any(|class| code.code().starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_defects() {
        for (code, expected) in [
            ("08006", true),
            ("25006", true),
            ("25P03", true),
            ("40001", true),
            ("53300", true),
            ("55P03", true),
            ("57P01", true),
            ("57P03", true),
            ("58030", true),
            ("22021", false),
            ("23505", false),
            ("25P02", false),
            ("42601", false),
        ] {
            assert_eq!(passes(&SqlState::from_code(code)), expected, "{code}");
        }
    }
}
