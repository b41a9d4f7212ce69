//! Moves committed pages from the write-ahead log into the database, on a thread and connection of its
//! own, so that no commit waits for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};

use rusqlite::Connection;
use rusqlite::ffi::SQLITE_IOERR_FSYNC;

use crate::connection::open_writer;

/// Pages in the log after which they are moved: small steps keep each short.
const CHECKPOINT_PAGES: usize = 1_000;
/// Pages in the log after which the writer itself moves the rest, so that the log can start anew even
/// if it is never idle: 64 MiB.
const LOG_PAGES_MAX: usize = 16_384;

/// What the process says of itself when it ends because of the disk.
const EXIT_DISK_FAILED: i32 = 1;

/// The thread, and when to wake it.
pub(crate) struct Checkpointer {
    thread: Thread,
    stop: Arc<AtomicBool>,
    handle: Option<JoinHandle<()>>,
    /// How long the log was when the thread was last woken.
    woken_at: usize,
}

/// What the writer should do about the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Advice {
    /// Go on.
    GoOn,
    /// Move the rest of the log at once.
    Finish,
}

impl Checkpointer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(path: PathBuf) -> std::io::Result<Checkpointer> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let handle = std::thread::Builder::new()
            .name("store-checkpointer".to_owned())
            .spawn(move || run(&path, &stopped))?;
        Ok(Checkpointer {
            thread: handle.thread().clone(),
            stop,
            handle: Some(handle),
            woken_at: 0,
        })
    }

    /// Told after every commit how many pages the log holds.
    pub(crate) fn log_has(&mut self, pages: usize) -> Advice {
        if pages < self.woken_at {
            self.woken_at = 0;
        }
        if pages >= self.woken_at + CHECKPOINT_PAGES {
            self.woken_at = pages;
            self.thread.unpark();
        }
        if pages >= LOG_PAGES_MAX {
            Advice::Finish
        } else {
            Advice::GoOn
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.thread.unpark();
        if let Some(handle) = self.handle.take() {
            // A panic there has no consequence but a long log, which the next start shortens.
            drop(handle.join());
        }
    }
}

fn run(path: &std::path::Path, stop: &AtomicBool) {
    let mut connection = None;
    loop {
        std::thread::park();
        if stop.load(Ordering::Acquire) {
            return;
        }
        if connection.is_none() {
            connection = open_writer(path).ok();
        }
        let Some(open) = &connection else { continue };
        if move_log(open).is_err() {
            connection = None;
        }
    }
}

/// Moves what it can of the log into the database. A failure leaves the log longer, nothing else; the next round
/// tries again.
///
/// A failed fsync ends the process. What earlier rounds moved and never synced may be gone with it, and this process
/// takes it for moved: another round would sync the rest with success, and the log, which has it all, would begin anew. The
/// next start trusts the log alone.
pub(crate) fn move_log(connection: &Connection) -> Result<(), rusqlite::Error> {
    let moved = connection.query_row("pragma wal_checkpoint(passive)", [], |_| Ok(()));
    let Err(error) = &moved else { return moved };
    let code = error.sqlite_error().map(|error| error.extended_code);
    if code == Some(SQLITE_IOERR_FSYNC) {
        tracing::error!(%error, "the disk did not keep what was written to the database; this process ends, since \
            only a new start recovers all of it from the log");
        std::process::exit(EXIT_DISK_FAILED);
    }
    tracing::debug!(%error, "checkpoint put off");
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writer_finishes_only_a_log_that_is_never_idle() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut checkpointer =
            Checkpointer::start(folder.path().join("none.db")).expect("a thread");
        let cases = [
            (10, Advice::GoOn),
            (CHECKPOINT_PAGES, Advice::GoOn),
            (LOG_PAGES_MAX, Advice::Finish),
            (3, Advice::GoOn),
        ];
        for (pages, advice) in cases {
            assert_eq!(checkpointer.log_has(pages), advice, "{pages}");
        }
        assert_eq!(checkpointer.woken_at, 0);
    }
}
