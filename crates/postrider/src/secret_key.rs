//! The key that seals secrets at rest: configured, or made beside the data at the first start.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use store::SecretKey;

use crate::config::Config;

/// The key's file, within the data folder.
const KEY_FILE: &str = "secret.key";
/// Read and written by its owner only.
const KEY_FILE_MODE: u32 = 0o600;

/// The key of the configuration, or else the one beside the data, made if there is neither key nor data.
///
/// # Errors
/// The file cannot be read or made, or there is data without the key that it was sealed with.
pub fn secret_key(config: &Config) -> anyhow::Result<SecretKey> {
    if let Some(key) = &config.secret_key {
        return Ok(SecretKey::from_bytes(key.bytes()));
    }
    let file = config.data.join(KEY_FILE);
    if let Some(key) = read(&file)? {
        return Ok(key);
    }
    if store_sqlite::has_data(&config.data) {
        bail!(
            "the data folder {} has data, but not the key that its secrets are sealed with: restore \
             {KEY_FILE} from a backup, or give the key with POSTRIDER_SECRET_KEY",
            config.data.display()
        );
    }
    make(&config.data, &file)?;
    read(&file)?.with_context(|| format!("the secret key {} vanished", file.display()))
}

/// The file beside the data, where the configuration names no key.
pub fn file(config: &Config) -> Option<PathBuf> {
    let is_beside = config.secret_key.is_none();
    is_beside.then(|| beside(&config.data))
}

/// Where the key of a data folder is, unless one is configured.
pub fn beside(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

fn read(file: &Path) -> anyhow::Result<Option<SecretKey>> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("the secret key {} cannot be read", file.display()));
        }
    };
    let key = SecretKey::parse(&text)
        .with_context(|| format!("the secret key {} cannot be used", file.display()))?;
    Ok(Some(key))
}

/// Writes the whole key under another name first: a process that starts at the same moment sees either no
/// key or a whole one, and both end with the same.
fn make(folder: &Path, file: &Path) -> anyhow::Result<()> {
    let unusable = || {
        format!(
            "the data folder {} cannot be used; make it writable, or name another with --data",
            folder.display()
        )
    };
    store_sqlite::make_folder(folder)?;
    let (_, text) = SecretKey::generate()?;
    let draft = folder.join(format!("{KEY_FILE}.{}", std::process::id()));
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(KEY_FILE_MODE);
    let mut written = options.open(&draft).with_context(unusable)?;
    written.write_all(text.as_bytes()).with_context(unusable)?;
    written.sync_all().with_context(unusable)?;
    let linked = std::fs::hard_link(&draft, file);
    std::fs::remove_file(&draft).with_context(unusable)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error).with_context(unusable),
        _ => Ok(()),
    }
}
