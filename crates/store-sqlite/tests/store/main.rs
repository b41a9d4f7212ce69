//! The embedded store through its traits, on real files.

mod accept;
mod kept;
mod order;
mod world;
