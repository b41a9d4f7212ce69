//! Integrations: whose orders and subscriptions belong together.

pub(crate) mod create;
pub(crate) mod fields;
pub(crate) mod index;
mod shape;
pub(crate) mod show;
pub(crate) mod update;
