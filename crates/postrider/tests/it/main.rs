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
mod clock_jumps;
mod contract;
mod crash;
mod dashboard;
mod dashboard_forms;
mod dashboard_matrix;
mod delivery;
mod disk_full;
mod documentation;
mod examples;
mod folder;
mod hostile;
mod io_faults;
mod late;
mod lists;
mod load;
mod mails;
mod metrics;
mod openapi;
mod operational;
mod people;
mod policies;
mod portal;
mod postgres;
mod power_loss;
mod recovery;
mod restarts;
mod retention;
mod schemathesis;
mod seed;
mod slow_receivers;
mod snippets;
mod statuses;
mod stopping;
mod traps;
mod unavailable;
mod verifier;
mod verify;
mod views;
mod walk;
mod why;
