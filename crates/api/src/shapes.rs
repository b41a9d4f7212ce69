//! Members that the records of several services have.

use contract::{Field, Shape};

/// Whose the record is.
pub(crate) const INTEGRATION_ID: Field = Field::new(
    "integration_id",
    Shape::Integer,
    "The integration that it belongs to.",
);

pub(crate) const CREATED_AT: Field = Field::new("created_at", Shape::Time, "When it was made.");

pub(crate) const UPDATED_AT: Field =
    Field::new("updated_at", Shape::Time, "When it was last changed.");

/// The mark of an answer that was given before.
pub(crate) const REPLAYED: Field = Field::new(
    "replayed",
    Shape::Boolean,
    "True where the idempotency key came before, and nothing was changed; absent otherwise.",
)
.optional();
