//! Notifications: what the operators must know.

pub(crate) mod index;
pub(crate) mod update;
