//! The schema's versions, embedded and recorded in `schema_versions`.
//!
//! Nodes of two versions run side by side while a cluster is upgraded, so a change of the schema takes two releases: first it is *expanded* (what is new
//! is added, with defaults for those who do not know it), and once no older node is left, a later release *contracts* it (what
//! nobody uses any more goes). Each step says which programs can live with it.

use store::StoreError;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::one;

/// One step of the schema.
struct Migration {
    statements: &'static str,
    /// The oldest version of the schema whose program goes on working after this step.
    works_with: i64,
}

/// The version of a database is how many of them it has had.
const MIGRATIONS: &[Migration] = &[
    Migration {
        statements: include_str!("schema/0001_first.sql"),
        works_with: 1,
    },
    Migration {
        statements: include_str!("schema/0002_delivery_statistics.sql"),
        works_with: 1,
    },
    Migration {
        statements: include_str!("schema/0003_few_waiting_jobs.sql"),
        works_with: 1,
    },
];

/// Held by the node that brings the schema up to date; any number that other programs do not use.
const LOCK: &str = "select pg_advisory_xact_lock(7815694213740091391)";
const MAKE_VERSIONS: &str = "create table if not exists schema_versions (version bigint primary key, works_with bigint not null, \
     applied_at timestamptz not null default now())";
const NEWEST: &str = "select coalesce(max(version), 0) as version, coalesce(max(works_with), 0) as works_with from schema_versions";
const KEEP: &str = "insert into schema_versions (version, works_with) values ($1, $2)";

/// Why a database cannot be used as it is.
#[derive(Debug, thiserror::Error)]
pub enum MigrateFault {
    /// A newer program has changed it so that this one cannot use it.
    #[error(
        "the database has schema version {found}, which programs older than version {works_with} cannot use, and this one has \
         {known}: use a newer program"
    )]
    Newer {
        /// The database's version.
        found: i64,
        /// The oldest version that can use it.
        works_with: i64,
        /// This program's version.
        known: i64,
    },
    /// PostgreSQL fails.
    #[error("the schema cannot be brought up to date: {0}")]
    Store(#[from] StoreError),
}

/// Brings the schema up to date; each step commits with its number or not at all. Of nodes that start at once, one does it and the others wait.
///
/// # Errors
/// [`MigrateFault`]; the database is then as it was after the last whole step.
pub(crate) async fn migrate(connection: &Connection) -> Result<(), MigrateFault> {
    migrate_with(connection, MIGRATIONS).await
}

async fn migrate_with(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<(), MigrateFault> {
    loop {
        batch(
            connection,
            "begin; set local statement_timeout = 0; set local lock_timeout = 0",
        )
        .await?;
        match next_step(connection, migrations).await {
            Ok(true) => batch(connection, "commit").await?,
            done => {
                batch(connection, "rollback").await?;
                return done.map(|_| ());
            }
        }
    }
}

/// This program's version.
pub(crate) fn known() -> i64 {
    count(MIGRATIONS)
}

fn count(migrations: &[Migration]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}

/// The version of a database that has a schema.
pub(crate) async fn found(connection: &Connection) -> Result<i64, Fault> {
    let found = one(connection, NEWEST, &[], |row| Ok(row.try_get("version")?));
    Ok(found.await?.unwrap_or(0))
}

async fn batch(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.batch(sql).await.map_err(StoreError::from)
}

/// Whether there was a step to take.
async fn next_step(
    connection: &Connection,
    migrations: &[Migration],
) -> Result<bool, MigrateFault> {
    batch(connection, LOCK).await?;
    batch(connection, MAKE_VERSIONS).await?;
    let known = count(migrations);
    let newest = one(connection, NEWEST, &[], |row| {
        Ok((row.try_get("version")?, row.try_get("works_with")?))
    });
    let (found, works_with) = newest.await.map_err(StoreError::from)?.unwrap_or((0, 0));
    if works_with > known {
        return Err(MigrateFault::Newer {
            found,
            works_with,
            known,
        });
    }
    let next = usize::try_from(found).ok();
    let Some(step) = next.and_then(|next| migrations.get(next)) else {
        return Ok(false);
    };
    batch(connection, step.statements).await?;
    connection
        .execute(KEEP, &[&(found + 1), &step.works_with])
        .await
        .map_err(|fault: Fault| StoreError::from(fault))?;
    Ok(true)
}
