//! The API's own services: whether they are deployed.

pub(crate) mod index;
pub(crate) mod update;
