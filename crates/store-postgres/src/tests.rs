//! Tests on a real PostgreSQL: the laws of all stores, and what only this one has.

mod laws;
mod migrations;
mod plans;
mod silence;
mod statements;
mod tls;
mod two_nodes;
mod world;
