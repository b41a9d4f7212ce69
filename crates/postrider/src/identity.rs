//! What a node of a cluster is called, so that one that was killed has its lanes again as soon as it is back.
//!
//! A process that holds the lock of a folder is the only one that does, and whoever held it before has ended: the system saw to it. That holds
//! within one run of one system, so its number is part of the name, and so is the folder's lock as that system knows it.

use std::os::unix::fs::MetadataExt;

use store_sqlite::ServeLock;

/// Where Linux tells which run of the system this is.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The name of the node that holds this lock; none on a system that does not tell its runs apart.
pub fn name(lock: &ServeLock) -> Option<String> {
    let boot = std::fs::read_to_string(BOOT_ID).ok()?;
    let file = lock.metadata().ok()?;
    Some(format!("{}/{}/{}", boot.trim(), file.dev(), file.ino()))
}
