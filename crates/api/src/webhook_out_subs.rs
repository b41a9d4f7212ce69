//! Outgoing webhook subscriptions: whom to tell, of what, and how.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod fields;
pub(crate) mod index;
pub(crate) mod rotate_secret;
pub(crate) mod send_test;
pub(crate) mod show;
pub(crate) mod update;
mod warnings;
