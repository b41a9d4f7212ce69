//! A copy of a database that is being worked on.
//!
//! Pages are copied as they are, from one view of what is committed: the writer goes on meanwhile, and its log grows until the view is
//! given back. `vacuum into` would write every tree anew, and hold its view for longer. The copy has another name until it is
//! whole, checked and on the disk, so that half of one is never taken for a backup.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup as Pages, StepResult};
use store::StoreError;

use crate::connection::open_reader;
use crate::migrate::{found, version};
use crate::open::DATABASE_FILE;
use crate::verify;

/// What follows the name of a backup that is not whole yet.
const PARTIAL_SUFFIX: &str = ".partial";
/// Read and written by its owner only, as the database is: orders hold people's addresses.
const FILE_MODE: u32 = 0o600;
/// Pages that are copied in one go: 4 MiB.
const PAGES_PER_STEP: i32 = 1_024;
/// What SQLite says of a database without a fault.
const NO_FAULT: &str = "ok";

/// A backup that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// What it was found to hold; absent where the database is of an older program, which alone could judge that.
    pub verified: Option<BackupVerified>,
}

/// What a backup was found to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupVerified {
    /// Changes of orders.
    pub order_stages: u64,
    /// Jobs.
    pub webhook_jobs: u64,
    /// What is missing from it, as it is from the database.
    pub gaps: usize,
}

/// Why no backup was made.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// There is nothing to back up.
    #[error("the data folder {folder} has no database; name another with --data")]
    NoData {
        /// The folder.
        folder: PathBuf,
    },
    /// A backup is never written over another.
    #[error(
        "{file} is there already; name another file, or a folder to have a new name made in it"
    )]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// The file or its folder cannot be written.
    #[error("the backup {file} cannot be written: {error}")]
    File {
        /// The file.
        file: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The database cannot be read, or the backup not be written.
    #[error("the database cannot be copied: {0}")]
    Database(#[from] rusqlite::Error),
    /// What was written is damaged.
    #[error(
        "the copy is damaged, and was removed: {reason}; check the disk, and the database with `postrider verify`"
    )]
    Damaged {
        /// SQLite's words.
        reason: String,
    },
    /// What was written cannot be read back.
    #[error("the copy cannot be verified: {0}")]
    Verify(#[from] StoreError),
}

/// Copies the database of a folder into a file, while a server may be working on it, and checks the copy: each change that was
/// acknowledged before this was called is in it.
///
/// # Errors
/// [`BackupFault`]; there is no such file then.
pub fn backup(folder: &Path, file: &Path) -> Result<Backup, BackupFault> {
    let database = folder.join(DATABASE_FILE);
    if !database.exists() {
        return Err(BackupFault::NoData {
            folder: folder.to_owned(),
        });
    }
    if file.exists() {
        return Err(BackupFault::Exists {
            file: file.to_owned(),
        });
    }
    let mut partial = file.as_os_str().to_owned();
    partial.push(PARTIAL_SUFFIX);
    let partial = PathBuf::from(partial);
    let made = make(&database, &partial, file);
    if made.is_err() {
        // What cannot be removed either is written over by the next one.
        drop(std::fs::remove_file(&partial));
    }
    made
}

fn make(database: &Path, partial: &Path, file: &Path) -> Result<Backup, BackupFault> {
    let unwritable = |error| BackupFault::File {
        file: file.to_owned(),
        error,
    };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    options.mode(FILE_MODE).open(partial).map_err(unwritable)?;
    copy_pages(database, partial)?;
    let verified = check(partial)?;
    let written = File::open(partial).map_err(unwritable)?;
    written.sync_all().map_err(unwritable)?;
    let bytes = written.metadata().map_err(unwritable)?.len();
    std::fs::rename(partial, file).map_err(unwritable)?;
    let parent = file.parent().filter(|parent| *parent != Path::new(""));
    let parent = File::open(parent.unwrap_or(Path::new("."))).map_err(unwritable)?;
    parent.sync_all().map_err(unwritable)?;
    Ok(Backup {
        file: file.to_owned(),
        bytes,
        verified,
    })
}

fn copy_pages(database: &Path, partial: &Path) -> Result<(), BackupFault> {
    let from = open_reader(database)?;
    // One view for all steps: without it, each change that somebody commits would have the copy begin anew.
    from.execute_batch("begin; select count(*) from sqlite_schema")?;
    let mut to = Connection::open(partial)?;
    // It is synced once, at the end; until then nobody takes it for a backup.
    to.pragma_update(None, "synchronous", "off")?;
    to.query_row("pragma journal_mode = off", [], |_| Ok(()))?;
    let pages = Pages::new(&from, &mut to)?;
    while pages.step(PAGES_PER_STEP)? != StepResult::Done {}
    Ok(())
}

/// Whether the copy is sound, page by page and as to what it holds. It is one file from now on, without a log beside it.
fn check(partial: &Path) -> Result<Option<BackupVerified>, BackupFault> {
    let copy = Connection::open(partial)?;
    copy.query_row("pragma journal_mode = delete", [], |_| Ok(()))?;
    let reason: String = copy.query_row("pragma integrity_check(1)", [], |row| row.get(0))?;
    if reason != NO_FAULT {
        return Err(BackupFault::Damaged { reason });
    }
    if found(&copy)? != version() {
        return Ok(None);
    }
    let whole = verify::whole(&copy).map_err(StoreError::from)?;
    Ok(Some(BackupVerified {
        order_stages: whole.order_stages,
        webhook_jobs: whole.webhook_jobs,
        gaps: whole.gaps,
    }))
}
