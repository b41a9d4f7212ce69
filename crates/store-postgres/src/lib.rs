//! The store of many nodes: one PostgreSQL database that all of them share.
//!
//! Files mirror `store-sqlite`: one per noun, each with its statements on top. What changes runs in a transaction of
//! [`Writing`](writing::Writing), what is only read on a [`Connection`](connection::Connection). Rules are in `domain`, as for every store.

mod applications;
mod audit;
mod audit_events;
mod check;
mod connection;
mod fault;
mod idempotency;
mod integrations;
mod list_items;
mod list_query;
mod migrate;
mod notifications;
mod open;
mod partitions;
mod payload_render_views;
mod pool;
mod registry;
mod sessions;
mod users;
mod writing;

pub use migrate::MigrateFault;
pub use open::{OpenFault, PostgresStore};

#[cfg(test)]
mod tests;
