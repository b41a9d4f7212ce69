//! How much a folder holds.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;

/// How the names of the database's log and its index end. They are as long as they once were, and what they
/// hold is moved into the database sooner or later.
const LOG_ENDINGS: [&str; 2] = ["-wal", "-shm"];

/// Bytes of all files in a folder and below, the database's log left out; 0 for what cannot be read.
pub fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(_) if is_log(&entry.file_name()) => 0,
            Ok(about) if about.is_dir() => folder_bytes(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

fn is_log(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    LOG_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_but_the_log_count_by_their_length() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("inner")).expect("is made");
        fs::write(folder.path().join("a"), [0; 5]).expect("is written");
        fs::write(folder.path().join("inner/b"), [0; 7]).expect("is written");
        fs::write(folder.path().join("a-wal"), [0; 11]).expect("is written");
        assert_eq!(folder_bytes(folder.path()), 12);
        assert_eq!(folder_bytes(&folder.path().join("none")), 0);
    }
}
