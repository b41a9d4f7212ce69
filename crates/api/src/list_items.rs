//! Vocabularies: the words that orders and subscriptions use.

pub(crate) mod create;
mod fields;
pub(crate) mod index;
mod shape;
pub(crate) mod update;
