//! Statistics of deliveries.

mod shape;
pub(crate) mod show;
