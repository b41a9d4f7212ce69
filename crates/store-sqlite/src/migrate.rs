//! The schema's versions, embedded and recorded in `user_version`.

use rusqlite::Connection;

/// Each version's statements; the version of a database is how many of them it has had.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_first.sql"),
    include_str!("schema/0002_people.sql"),
    include_str!("schema/0003_mails.sql"),
    include_str!("schema/0004_payload_render_views.sql"),
    include_str!("schema/0005_policies.sql"),
    include_str!("schema/0006_matching.sql"),
    include_str!("schema/0007_signing_keys.sql"),
    include_str!("schema/0008_recoveries.sql"),
    include_str!("schema/0009_retention.sql"),
    include_str!("schema/0010_waiting_jobs.sql"),
    include_str!("schema/0011_delivery_statistics.sql"),
];

/// Why a database cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum MigrateFault {
    /// A newer program wrote it.
    #[error(
        "the database has schema version {found}, and this program knows {known}: use the newer \
         program that wrote it, or restore a backup from before the upgrade"
    )]
    Newer {
        /// The database's version.
        found: u32,
        /// This program's version.
        known: u32,
    },
    /// SQLite fails.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
}

/// Brings the schema up to date; each step commits with its number or not at all.
///
/// # Errors
/// [`MigrateFault`]; the database is then as it was after the last whole step.
pub(crate) fn migrate(connection: &Connection) -> Result<(), MigrateFault> {
    loop {
        // Taken before the version is read, so that two processes never run the same step.
        connection.execute_batch("begin immediate")?;
        let step = next_step(connection);
        match step {
            Ok(true) => connection.execute_batch("commit")?,
            done => {
                connection.execute_batch("rollback")?;
                return done.map(|_| ());
            }
        }
    }
}

/// This program's version.
pub(crate) const fn version() -> u32 {
    MIGRATIONS.len() as u32
}

/// The version of a database.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn found(connection: &Connection) -> Result<u32, rusqlite::Error> {
    connection.query_row("pragma user_version", [], |row| row.get(0))
}

/// Whether there was a step to take.
fn next_step(connection: &Connection) -> Result<bool, MigrateFault> {
    let (found, known) = (found(connection)?, version());
    if found > known {
        return Err(MigrateFault::Newer { found, known });
    }
    let Some(statements) = MIGRATIONS.get(found as usize) else {
        return Ok(false);
    };
    connection.execute_batch(statements)?;
    connection.pragma_update(None, "user_version", found + 1)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_database_is_refused_and_left_as_it_is() {
        let connection = Connection::open_in_memory().expect("memory");
        connection
            .pragma_update(None, "user_version", version() + 1)
            .expect("a version");
        let fault = migrate(&connection).expect_err("newer");
        assert!(
            fault.to_string().contains("use the newer program"),
            "{fault}"
        );
        let tables: i64 = connection
            .query_row("select count(*) from sqlite_schema", [], |row| row.get(0))
            .expect("a count");
        assert_eq!(tables, 0);
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let connection = Connection::open_in_memory().expect("memory");
        for _ in 0..2 {
            migrate(&connection).expect("migrated");
            let found: u32 = connection
                .query_row("pragma user_version", [], |row| row.get(0))
                .expect("a version");
            assert_eq!(found, version());
        }
    }

    #[test]
    fn jobs_of_an_older_database_that_came_after_their_change_are_late() {
        let connection = Connection::open_in_memory().expect("memory");
        let older = 8;
        for statements in &MIGRATIONS[..older] {
            connection.execute_batch(statements).expect("migrated");
        }
        connection
            .pragma_update(None, "user_version", older as u32)
            .expect("a version");
        let old = "insert into order_stages (id, integration_id, order_id, sequence, stage, update_status, stage_at, created_at) \
             values (1, 1, 1, 1, 'ordered', 1, 5, 5)";
        connection.execute_batch(old).expect("a change");
        // Made with the change; a retry; a replay; a test.
        let jobs = ["1, null, 5", "1, 1, 5", "1, null, 6", "null, null, 6"];
        for job in jobs {
            let sql = format!(
                "insert into webhook_jobs (order_stage_id, retry_of, created_at, integration_id, webhook_out_sub_id, \
                 payload_id, status, webhook_id, state, ordered, attempts, job_faults, passed, test, cancel_requested) \
                 values ({job}, 1, 1, 1, 'ordered', x'00', 'pending', 1, 0, 0, 0, 0, 0)"
            );
            connection.execute_batch(&sql).expect("a job");
        }
        migrate(&connection).expect("migrated");
        let mut late = connection
            .prepare("select id from webhook_jobs where late = 1 order by id")
            .expect("prepared");
        let late: Result<Vec<i64>, _> = late
            .query_map([], |row| row.get(0))
            .expect("read")
            .collect();
        assert_eq!(late.expect("ids"), [2, 3]);
    }
}
