//! The embedded store through its traits, on real files.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects, and fails by a panic"
)]

mod accept;
mod kept;
mod order;
mod troubles;
mod world;
