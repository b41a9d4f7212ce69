//! Mails as files: for trying things out, and for machines from which another program takes them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use domain::time::Moment;

use crate::message::Message;
use crate::transport::SendFault;

/// For the owner's eyes only: mails hold links that sign in, and payloads.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;

/// Tells apart the files of one microsecond.
static COUNTER: AtomicU64 = AtomicU64::new(0);

/// Writes a mail as a `.eml`, whole or not at all.
pub(crate) async fn write(folder: &Path, message: &Message, now: Moment) -> Result<(), SendFault> {
    let bytes = message.to_mime()?.formatted();
    let path = folder.join(format!("{}.eml", name(message, now)));
    let folder = folder.to_owned();
    let written = tokio::task::spawn_blocking(move || put(&folder, path, &bytes)).await;
    let written = written.unwrap_or_else(|error| Err(io::Error::other(error)));
    written.map_err(|error| SendFault::Passing(format!("the mail cannot be written: {error}")))
}

/// Sorts by time. A mail that is written again after a crash has the same name, and so is one.
fn name(message: &Message, now: Moment) -> String {
    match &message.message_id {
        Some(id) => {
            let local = id.trim_start_matches('<').split('@').next();
            format!(
                "{}-{}",
                message.date.microseconds(),
                local.unwrap_or_default()
            )
        }
        None => {
            let count = COUNTER.fetch_add(1, Ordering::Relaxed);
            format!("{}-{}-{count}", now.microseconds(), std::process::id())
        }
    }
}

fn put(folder: &Path, path: PathBuf, bytes: &[u8]) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(FOLDER_MODE)
        .create(folder)?;
    let unfinished = path.with_extension("tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, path)
}
