//! What can be told of a data folder without changing it, and bringing its schema up to date without serving it.

use std::fs::{File, TryLockError};
use std::path::Path;

use rusqlite::Connection;

use crate::connection::{open_reader, open_writer};
use crate::copy::is_half_copied;
use crate::migrate::{found, migrate, version};
use crate::open::{DATABASE_FILE, LOCK_FILE, OpenFault, has_data, make_folder};

const IS_USED: &str = "select count(*) from sqlite_schema where name = 'list_items'";
// primary key
const HAS_WORDS: &str = "select exists (select 1 from list_items)";

/// A folder with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examined {
    /// The version of its schema.
    pub schema: u32,
    /// The version that this program has.
    pub known: u32,
    /// Whether it has half of a copy only.
    pub is_half_copied: bool,
    /// Whether anybody has opened it as a store yet.
    pub is_used: bool,
    /// Whether a server runs on it.
    pub is_served: bool,
    /// Its size with its log, in bytes.
    pub bytes: u64,
}

/// Looks at a folder; nothing where it has no database.
///
/// # Errors
/// [`OpenFault::Database`].
pub fn examine(folder: &Path) -> Result<Option<Examined>, OpenFault> {
    if !has_data(folder) {
        return Ok(None);
    }
    let file = folder.join(DATABASE_FILE);
    let looked_at = open_reader(&file).and_then(|connection| {
        Ok(Examined {
            schema: found(&connection)?,
            known: version(),
            is_half_copied: is_half_copied(&connection)?,
            is_used: is_used(&connection)?,
            is_served: is_served(folder),
            bytes: bytes(&file) + bytes(&folder.join(format!("{DATABASE_FILE}-wal"))),
        })
    });
    looked_at
        .map(Some)
        .map_err(|error| OpenFault::Database { file, error })
}

/// Makes the database of a folder, or brings it up to date; the versions of its schema before and after.
///
/// # Errors
/// [`OpenFault`].
pub fn migrate_folder(folder: &Path) -> Result<(u32, u32), OpenFault> {
    make_folder(folder)?;
    let file = folder.join(DATABASE_FILE);
    let migrated = || {
        let connection = open_writer(&file)?;
        let before = found(&connection)?;
        migrate(&connection)?;
        Ok((before, found(&connection)?))
    };
    migrated().map_err(|fault| OpenFault::Schema {
        file: file.clone(),
        fault,
    })
}

fn is_used(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let has_table: bool = connection.query_row(IS_USED, [], |row| row.get(0))?;
    if !has_table {
        return Ok(false);
    }
    connection.query_row(HAS_WORDS, [], |row| row.get(0))
}

fn is_served(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder.join(LOCK_FILE)) else {
        return false;
    };
    // Given back at once: a server that starts just now would be refused otherwise.
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

fn bytes(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}
