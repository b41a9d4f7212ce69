//! The receiver over real sockets on loopback, asked by a client of plain HTTP/1.1.

#![expect(
    clippy::expect_used,
    reason = "what a test leans on shall end it where it breaks"
)]

mod client;
mod keeping;
mod replying;
