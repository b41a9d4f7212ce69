//! Changes of orders.

pub(crate) mod create;
pub(crate) mod create_many;
pub(crate) mod index;
mod shape;
pub(crate) mod show;
pub(crate) mod stage;
