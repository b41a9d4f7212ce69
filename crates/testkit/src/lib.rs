//! What tests share: a scriptable receiver, a clock to move by hand, a verifier, seeded
//! chance, a PostgreSQL database and a PostgreSQL server of one's own.
//!
//! Made for tests alone: what cannot go on panics, and says why.
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod chance;
mod clock;
mod postgres;
mod receiver;
mod verify;

pub use chance::{SEED_VARIABLE, chance};
pub use clock::ManualClock;
pub use postgres::{PostgresServer, TestPostgres};
pub use receiver::{Answer, Gate, Received, Receiver, Reply};
pub use verify::{Unverified, verify};
