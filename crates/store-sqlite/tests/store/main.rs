//! The embedded store through its traits, on real files.

#![expect(
    clippy::expect_used,
    reason = "a test says what it expects, and fails by a panic"
)]

mod kept;
mod troubles;
mod world;
