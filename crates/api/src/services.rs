//! The API's own services: whether they are deployed.

pub(crate) mod index;
mod shape;
pub(crate) mod update;
