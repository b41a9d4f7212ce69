//! The store of many nodes: one PostgreSQL database that all of them share.
//!
//! Files mirror `store-sqlite`: one per noun, each with its statements on top. What changes runs in a transaction of
//! `writing::Writing`, what is only read on a `connection::Connection`. Rules are in `domain`, as for every store.

mod accept;
mod applications;
mod audit;
mod audit_events;
mod check;
mod clock;
mod clock_set;
mod connection;
mod copy;
mod delivery_statistics;
mod due;
mod ending;
mod examine;
mod fault;
mod idempotency;
mod integrations;
mod known;
mod lanes;
mod list_items;
mod list_query;
mod locks;
mod mails;
mod match_trace;
mod migrate;
mod notifications;
mod open;
mod operational;
mod order_stages;
mod orders;
mod partitions;
mod payload_render_views;
mod pool;
mod record;
mod recoveries;
mod registry;
mod release;
mod retention;
mod sessions;
mod supersede;
mod troubles;
mod users;
mod verify;
mod webhook_jobs;
mod webhook_out_subs;
mod writing;

pub use clock::DatabaseClock;
pub use copy::PostgresCopy;
pub use examine::{Examined, examine, migrate_database};
pub use migrate::MigrateFault;
pub use open::{OpenFault, PostgresStore};

#[cfg(test)]
mod tests;
