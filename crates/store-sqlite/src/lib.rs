//! The embedded store: one SQLite file, one writer thread with group commit, a few readers.
//!
//! A file per noun, each with its statements on top: what changes runs in `SqliteStore::write`, what is
//! only read in `SqliteStore::read`. The two paths that every delivery takes have files of their own:
//! `accept` (a change becomes jobs) and `record` (an attempt becomes history).

mod accept;
mod applications;
mod audit;
mod audit_events;
mod backup;
mod check;
mod checkpointer;
mod clock_set;
mod connection;
mod copy;
mod delivery_statistics;
mod due;
mod examine;
mod fault;
mod idempotency;
mod integrations;
mod known;
mod list_items;
mod list_query;
mod mails;
mod match_trace;
mod migrate;
mod notifications;
mod open;
mod operational;
mod order_stages;
mod orders;
mod payload_render_views;
mod readers;
mod record;
mod recoveries;
mod registry;
mod release;
mod retention;
mod round;
mod sessions;
mod supersede;
mod troubles;
mod users;
mod verify;
mod webhook_jobs;
mod webhook_out_subs;
mod work;
mod writer;
mod writing;

pub use backup::{Backup, BackupFault, backup};
pub use copy::SqliteCopy;
pub use examine::{Examined, examine, migrate_folder};
pub use migrate::MigrateFault;
pub use open::{OpenFault, ServeLock, SqliteStore, has_data, make_folder};

#[cfg(test)]
mod tests;
