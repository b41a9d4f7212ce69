//! The answer of a create.

use contract::{Failure, Reply};
use serde::Serialize;
use store::Created;

/// A record with the mark that it is the answer to an earlier request.
#[derive(Serialize)]
pub(crate) struct Replayed<'a, T> {
    #[serde(flatten)]
    record: &'a T,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    replayed: bool,
}

impl<'a, T> Replayed<'a, T> {
    /// The record of a create, marked where it was made before.
    pub(crate) fn of(created: &'a Created<T>) -> Replayed<'a, T> {
        Replayed {
            record: &created.record,
            replayed: created.replayed,
        }
    }
}

/// The record, with `"replayed": true` inside if the same idempotency key came before.
pub(crate) fn reply<T: Serialize>(created: &Created<T>) -> Result<Reply, Failure> {
    marked(&created.record, created.replayed)
}

/// The same for another shape of the record.
pub(crate) fn marked<T: Serialize>(record: &T, replayed: bool) -> Result<Reply, Failure> {
    if replayed {
        Reply::of(&Replayed { record, replayed })
    } else {
        Reply::of(record)
    }
}
