//! The engine between a store that is a map in memory and a real receiver on loopback, by a manual clock.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "what a test leans on shall end it where it breaks"
)]

mod claiming;
mod clock;
mod crowd;
mod delivering;
mod jumping;
mod model;
mod receiver;
mod recording;
mod resting;
mod retrying;
mod sharing;
mod stage;
mod stopping;
