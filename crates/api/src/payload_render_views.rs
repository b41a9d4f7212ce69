//! Payload views of one's own.

pub(crate) mod create;
mod fields;
pub(crate) mod index;
pub(crate) mod preview;
mod shape;
pub(crate) mod show;
pub(crate) mod update;
