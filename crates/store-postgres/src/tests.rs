//! Tests on a real PostgreSQL: the laws of all stores, and what only this one has.

mod laws;
mod migrations;
mod plans;
mod statements;
mod two_nodes;
mod world;
