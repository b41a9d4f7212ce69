//! Integrations: whose orders and subscriptions belong together.

pub(crate) mod create;
pub(crate) mod fields;
pub(crate) mod index;
pub(crate) mod invitation_email;
pub(crate) mod portal_link;
mod shape;
pub(crate) mod show;
pub(crate) mod update;
