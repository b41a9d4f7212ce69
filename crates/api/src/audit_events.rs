//! The audit trail: who changed what.

pub(crate) mod index;
mod shape;
