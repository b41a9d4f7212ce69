//! `postrider backup`: a copy of the embedded store, beside a running server or without one.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use domain::time::{Clock, Moment};
use serde_json::json;
use store_sqlite::Backup;

use super::print;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigArgs};
use crate::secret_key;

/// How to back up.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// The backup's file, or a folder in which one is made that is named after the time.
    #[arg(long, value_name = "FILE|FOLDER")]
    to: PathBuf,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Runs the command; whether what was backed up has no gap. A backup with gaps is as good as the store is.
///
/// # Errors
/// No backup was made.
pub fn run(args: BackupArgs) -> anyhow::Result<bool> {
    let config = Config::new(args.config.with_surroundings())?;
    ensure!(
        config.database_url.is_none(),
        "a PostgreSQL database is backed up with its own tools (pg_dump, pg_basebackup): see docs/operate.md"
    );
    let file = file(&args.to, SystemClock.now())?;
    let made = store_sqlite::backup(&config.data, &file)?;
    let is_whole = made.verified.is_none_or(|verified| verified.gaps == 0);
    if args.json {
        print(&as_json(&made).to_string())?;
    } else {
        print(&as_text(&made))?;
        print(&match secret_key::file(&config) {
            Some(key) => format!(
                "Keep {} as well, at another place: without that key this backup cannot be used.",
                key.display()
            ),
            None => {
                "Keep the configured secret key as well: without it this backup cannot be used."
                    .to_owned()
            }
        })?;
    }
    Ok(is_whole)
}

/// The file itself, or one in the folder.
fn file(to: &Path, now: Moment) -> anyhow::Result<PathBuf> {
    let is_folder = to.is_dir() || to.as_os_str().as_encoded_bytes().ends_with(b"/");
    if !is_folder {
        return Ok(to.to_owned());
    }
    store_sqlite::make_folder(to)
        .with_context(|| format!("the folder {} cannot be used", to.display()))?;
    // As 20261129T010203Z: no sign that needs quoting, and in the order of time.
    let now = now.to_string();
    let seconds = now.split('.').next().unwrap_or_default();
    let stamp = seconds.trim_end_matches('Z').replace(['-', ':'], "");
    Ok(to.join(format!("postrider-{stamp}Z.db")))
}

fn as_text(made: &Backup) -> String {
    let (file, bytes) = (made.file.display(), made.bytes);
    let verified = match made.verified {
        None => {
            "not verified: it is of an older program, and is brought up to date when it is served"
                .to_owned()
        }
        Some(verified) => {
            let gaps = match verified.gaps {
                0 => "no gaps".to_owned(),
                gaps => format!("{gaps} gaps, as in the store: `postrider verify` names them"),
            };
            let (stages, jobs) = (verified.order_stages, verified.webhook_jobs);
            format!("{stages} order stages and {jobs} webhook jobs verified, {gaps}")
        }
    };
    format!("{file}: {bytes} bytes, sound; {verified}")
}

fn as_json(made: &Backup) -> serde_json::Value {
    json!({
        "file": made.file,
        "bytes": made.bytes,
        "order_stages": made.verified.map(|verified| verified.order_stages),
        "webhook_jobs": made.verified.map(|verified| verified.webhook_jobs),
        "gaps": made.verified.map(|verified| verified.gaps),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_in_a_folder_is_named_after_the_time() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = Moment::from_microseconds(1_795_914_123_000_000);
        let named = file(folder.path(), now).expect("a name");
        assert_eq!(named, folder.path().join("postrider-20261129T010203Z.db"));
        let later = Moment::from_microseconds(1_795_914_123_000_001);
        assert_eq!(file(folder.path(), later).expect("a name"), named);
        let below = folder.path().join("below");
        assert_eq!(file(&below, now).expect("a name"), below);
        let mut new = below.clone().into_os_string();
        new.push("/");
        assert!(
            file(Path::new(&new), now)
                .expect("a name")
                .starts_with(&below)
        );
    }
}
