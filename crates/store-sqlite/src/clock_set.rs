//! A wall clock that was set: what waits for a moment of the time before would wait for as much longer, so its moments are
//! set back too; and what was counted from a moment is counted as if the clock had not been set.
//!
//! While a process runs, the delivery engine notices. Across a restart the files tell that it was set back: they were last
//! written at a moment that has not come yet.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use domain::health::{LaneHealth, LaneRecord};
use domain::id::WebhookOutSubId;
use domain::time::Moment;
use rusqlite::{Connection, params};

use crate::fault::Fault;
use crate::list_query::all;
use crate::record::put_lane;

/// How far a clock must have been set back to be acted upon, in seconds: more than small corrections come to.
const SET_BACK_SECONDS_MIN: u64 = 2;

// webhook_jobs_due
pub(crate) const SET_JOBS_BACK: &str = "update webhook_jobs set next_attempt_at = max(?1, next_attempt_at - ?2) \
     where webhook_out_sub_id in (select id from webhook_out_subs) and next_attempt_at > ?1 \
     and next_attempt_at is not null";
// mails_due
pub(crate) const SET_MAILS_BACK: &str =
    "update mails set next_attempt_at = max(?1, next_attempt_at - ?2) where next_attempt_at > ?1";

// all of them, which is seldom
pub(crate) const LANES: &str = "select s.id, l.record from webhook_out_subs s \
     left join lanes l on l.webhook_out_sub_id = s.id where s.deleted_at is null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SET_JOBS_BACK, SET_MAILS_BACK, LANES];

/// Brings along what waits, and what is kept of each lane's health.
pub(crate) fn set(connection: &Connection, microseconds: i64, now: Moment) -> Result<(), Fault> {
    if microseconds < 0 {
        let changes = params![now.microseconds(), microseconds.saturating_neg()];
        connection.execute(SET_JOBS_BACK, changes)?;
        connection.execute(SET_MAILS_BACK, changes)?;
    }
    let lanes = all(connection, LANES, [], |row| {
        let record: Option<String> = row.get(1)?;
        let record = record.map(|record| serde_json::from_str(&record));
        let record: LaneRecord = record.transpose()?.unwrap_or_default();
        Ok((WebhookOutSubId(row.get(0)?), record))
    })?;
    for (sub, record) in lanes {
        let mut health = LaneHealth::from_record(record);
        health.clock_set(microseconds);
        put_lane(connection, sub, health.record())?;
    }
    Ok(())
}

/// Forgets that the files were written at a moment that has not come yet: that was acted upon. What cannot be
/// forgotten is acted upon again at the next start, and does little harm.
pub(crate) fn forget(database: &Path, now: Moment) {
    let micros = u64::try_from(now.microseconds()).unwrap_or_default();
    let now = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
    for path in [database.to_owned(), log_of(database)] {
        let written = File::options().append(true).open(&path);
        if let Err(error) = written.and_then(|file| file.set_modified(now)) {
            tracing::debug!(%error, "when a file was written cannot be set");
        }
    }
}

fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    log.into()
}

/// How far the clock was set back since the database was last written, if it was.
pub(crate) fn since_last_write(database: &Path, now: Moment) -> Option<Duration> {
    let written = |file: &Path| {
        let modified = file.metadata().ok()?.modified().ok()?;
        modified.duration_since(SystemTime::UNIX_EPOCH).ok()
    };
    let last = written(database).max(written(&log_of(database)))?;
    let by = (Moment::EPOCH + last).since(now);
    (by >= Duration::from_secs(SET_BACK_SECONDS_MIN)).then_some(by)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_tell_that_the_clock_was_set_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = folder.path().join("a.db");
        assert_eq!(since_last_write(&database, Moment::EPOCH), None);
        std::fs::write(&database, "").expect("written");
        let by = since_last_write(&database, Moment::EPOCH).expect("was written long after 1970");
        let written = Moment::EPOCH + by;
        let second = Duration::from_secs(1);
        assert_eq!(since_last_write(&database, written + second), None);
        assert_eq!(since_last_write(&database, written - second), None);
        let hour = 3_600 * second;
        assert_eq!(since_last_write(&database, written - hour), Some(hour));
        forget(&database, written - hour);
        assert_eq!(since_last_write(&database, written - hour), None);
    }
}
