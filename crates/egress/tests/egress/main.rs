//! Exchanges over real sockets on loopback, with receivers that behave well and badly.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects, and fails by a panic"
)]

mod certified;
mod guard;
mod guard_spellings;
mod hostile;
mod hostile_http2;
mod http2;
mod http2_frames;
mod keep_alive;
mod receiver;
mod requests;
mod tls;
