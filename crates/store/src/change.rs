//! What every change says about itself.

use domain::records::Actor;
use domain::time::Moment;

/// Who changes something, when, and by which request: the frame of an audit event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub actor: Actor,
    /// When, by the caller's clock.
    pub at: Moment,
    /// The request, as its answer's `x-request-id` names it.
    pub request_id: Option<String>,
}

/// What makes a create repeatable: the same key with the same request is answered as the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The caller's key, scoped by the integration (or by none, where a record has none).
    pub key: String,
    /// SHA-256 over the route and the parameters.
    pub request_hash: [u8; 32],
}

/// What a create made, or had made when the same idempotency key came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created<T> {
    /// The record, as it was when it was made.
    pub record: T,
    /// Whether this is the answer to an earlier request, and nothing was changed.
    pub replayed: bool,
}

impl<T> Created<T> {
    /// Something that was made just now.
    pub fn fresh(record: T) -> Self {
        Created {
            record,
            replayed: false,
        }
    }

    /// The answer to an earlier request.
    pub fn replayed(record: T) -> Self {
        Created {
            record,
            replayed: true,
        }
    }
}
