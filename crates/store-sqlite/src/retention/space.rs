//! Giving freed pages back to the file system, a few at a time.
//!
//! What comes next uses freed pages first, so some stay: a file that shrinks and grows all the time would cost much and gain nothing.

use rusqlite::Connection;

use crate::fault::Fault;
use crate::list_query::one;

/// Pages that one step gives back: each may have to be moved, and read and written for that.
const PAGES_PER_STEP: u64 = 100;
/// The part of the file that may be free, as its divisor: what a busy day brings, where 90 are kept, is less.
const FREE_SHARE: u64 = 10;
/// Free pages that stay in any case, 1 MiB.
const FREE_PAGES_MIN: u64 = 256;

pub(crate) const FREE_PAGES: &str = "pragma freelist_count";
pub(crate) const PAGES: &str = "pragma page_count";
// keep in step with PAGES_PER_STEP
pub(crate) const GIVE_BACK: &str = "pragma incremental_vacuum(100)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FREE_PAGES, PAGES, GIVE_BACK];

/// What was given back.
pub(super) struct Freed {
    pub(super) pages: u64,
    /// Whether there is more to give back.
    pub(super) goes_on: bool,
}

pub(super) fn give_back(connection: &Connection) -> Result<Freed, Fault> {
    let free = count(connection, FREE_PAGES)?;
    let kept = (count(connection, PAGES)? / FREE_SHARE).max(FREE_PAGES_MIN);
    if free < kept + PAGES_PER_STEP {
        return Ok(Freed {
            pages: 0,
            goes_on: false,
        });
    }
    // Each row stands for a page.
    let mut statement = connection.prepare_cached(GIVE_BACK)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    drop(rows);
    let pages = free.saturating_sub(count(connection, FREE_PAGES)?);
    Ok(Freed {
        pages,
        goes_on: pages > 0,
    })
}

fn count(connection: &Connection, sql: &str) -> Result<u64, Fault> {
    let count: Option<i64> = one(connection, sql, [], |row| Ok(row.get(0)?))?;
    Ok(count
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or_default())
}
