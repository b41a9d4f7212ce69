//! Notifications: what the operators must know.

pub(crate) mod index;
mod shape;
pub(crate) mod update;
