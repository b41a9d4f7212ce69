//! How connections to the database file are opened.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Size of a database page in bytes; see `docs/performance.md` for the measurement.
const PAGE_BYTES: u32 = 4_096;
/// How long a connection waits for another process that is writing, in milliseconds: long enough for
/// any commit, short enough that a request is still answered.
const BUSY_MILLISECONDS_MAX: u64 = 5_000;
/// Memory for cached pages of the writer, in KiB: the inner pages of every index stay in it.
const WRITER_CACHE_KIB: i64 = 16 * 1_024;
/// Memory for cached pages of a reader, in KiB.
const READER_CACHE_KIB: i64 = 2 * 1_024;
/// Prepared statements that a connection keeps: more than there are.
const STATEMENTS_KEPT: usize = 256;

/// Opens the connection that writes, and creates the file if there is none.
///
/// # Errors
/// When the file cannot be opened, made, or is no database.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS_MAX))?;
    // Page size and vacuum mode only take effect before the first table is made.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "auto_vacuum", "incremental")?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // FULL makes every commit durable before it is acknowledged; under group commit, less gains nothing.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // Checkpoints are the checkpointer's.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Opens a connection that reads; the file must be there.
///
/// # Errors
/// When the file cannot be opened.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_millis(BUSY_MILLISECONDS_MAX))?;
    connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// Prepares each statement once. Without the stability guarantee, SQLite plans many statements anew each time a
/// value is bound, which took a seventh of all time; every statement here names its index anyway.
fn keep_plans(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}
