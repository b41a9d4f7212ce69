//! The real binary from outside: a process, its HTTP API, a receiver on loopback.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::too_many_lines,
    clippy::panic,
    reason = "a test says what it expects, fails by a panic, prints its seed, and may have a long table of cases"
)]

mod harness;

mod backlog;
mod changes;
mod contract;
mod crash;
mod delivery;
mod documentation;
mod examples;
mod folder;
mod hostile;
mod lists;
mod mails;
mod openapi;
mod operational;
mod people;
mod policies;
mod recovery;
mod schemathesis;
mod seed;
mod slow_receivers;
mod statuses;
mod stopping;
mod unavailable;
mod verifier;
mod views;
mod walk;
mod why;
