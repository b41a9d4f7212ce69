//! The real binary from outside: a process, its HTTP API, a receiver on loopback.

mod harness;

mod contract;
mod crash;
mod delivery;
mod folder;
mod full_disk;
mod seed;
mod verifier;
mod walk;
