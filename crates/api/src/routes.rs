//! The API's own routes: whether they are deployed.

pub(crate) mod index;
pub(crate) mod update;
