//! The API's own routes: whether they are deployed.

pub(crate) mod index;
mod shape;
pub(crate) mod update;
