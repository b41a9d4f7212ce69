//! How much a folder holds.

use std::fs;
use std::path::Path;

/// Bytes of all files in a folder and below, as long as they are; 0 for what cannot be read.
///
/// The log of the database counts too: it holds the newest changes, and stays as long as it once was.
pub fn folder_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => folder_bytes(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_folders_count_by_their_length() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("inner")).expect("is made");
        fs::write(folder.path().join("a"), [0; 5]).expect("is written");
        fs::write(folder.path().join("inner/b"), [0; 7]).expect("is written");
        assert_eq!(folder_bytes(folder.path()), 12);
        assert_eq!(folder_bytes(&folder.path().join("none")), 0);
    }
}
