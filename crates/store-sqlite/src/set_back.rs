//! A wall clock that was set back: what waits for a moment of the time before would wait for as much longer, so
//! its moments are set back too.
//!
//! While a process runs, the delivery engine notices. Across a restart the files tell: they were last written at a
//! moment that has not come yet.

use std::path::Path;
use std::time::{Duration, SystemTime};

use domain::time::Moment;
use rusqlite::{Connection, params};

/// How far a clock must have been set back to be acted upon, in seconds: more than small corrections come to.
const SET_BACK_SECONDS_MIN: u64 = 2;

// webhook_jobs_due
pub(crate) const SET_JOBS_BACK: &str = "update webhook_jobs set next_attempt_at = max(?1, next_attempt_at - ?2) \
     where webhook_out_sub_id in (select id from webhook_out_subs) and next_attempt_at > ?1 \
     and next_attempt_at is not null";
// mails_due
pub(crate) const SET_MAILS_BACK: &str =
    "update mails set next_attempt_at = max(?1, next_attempt_at - ?2) where next_attempt_at > ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SET_JOBS_BACK, SET_MAILS_BACK];

/// Sets back what waits for a moment after `now`, by so much; nothing further back than `now`.
pub(crate) fn set_back(
    connection: &Connection,
    by: Duration,
    now: Moment,
) -> Result<(), rusqlite::Error> {
    let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
    let changes = params![now.microseconds(), by];
    connection.execute(SET_JOBS_BACK, changes)?;
    connection.execute(SET_MAILS_BACK, changes)?;
    Ok(())
}

/// How far the clock was set back since the database was last written, if it was.
pub(crate) fn since_last_write(database: &Path, now: Moment) -> Option<Duration> {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    let written = |file: &Path| {
        let modified = file.metadata().ok()?.modified().ok()?;
        modified.duration_since(SystemTime::UNIX_EPOCH).ok()
    };
    let last = written(database).max(written(Path::new(&log)))?;
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
    }
}
