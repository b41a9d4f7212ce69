//! What can be told of a database without changing it, and bringing its schema up to date without serving it.

use std::time::{Duration, Instant};

use store::StoreError;

use crate::connection::Connection;
use crate::copy::is_half_copied;
use crate::fault::Fault;
use crate::list_query::one;
use crate::migrate::{found, known, migrate};
use crate::open::OpenFault;
use crate::pool::connect_alone;

/// What the server says of itself and of this connection.
const SERVER: &str = "select current_setting('server_version_num')::bigint as version, pg_is_in_recovery() as is_standby, \
     current_setting('fsync') = 'on' as fsync, coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as tls, \
     (extract(epoch from clock_timestamp()) * 1000000)::bigint as clock, \
     current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint as connections, \
     (select count(*) from pg_stat_activity where backend_type = 'client backend') as connected";
const HAS_SCHEMA: &str =
    "select to_regclass('schema_versions') is not null and to_regclass('list_items') is not null";
// all of them: they are few; and a primary key
pub(crate) const USERS: &str = "select (select count(*) from nodes where lease_until >= clock_timestamp()) as nodes, \
     exists (select 1 from list_items) as is_used";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[USERS];

/// A database that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examined {
    /// As PostgreSQL numbers its versions: 150004 is 15.4.
    pub version: i64,
    /// Whether it is a standby, which takes no changes.
    pub is_standby: bool,
    /// Whether what it acknowledges is on the disk.
    pub fsync: bool,
    /// Whether this connection is encrypted.
    pub tls: bool,
    /// Its clock, in microseconds since 1970.
    pub clock: i64,
    /// How many connections it takes, those of superusers apart, and how many there are.
    pub connections: i64,
    /// See above.
    pub connected: i64,
    /// How long it takes to answer.
    pub round_trip: Duration,
    /// The version of its schema; none where there is no schema.
    pub schema: i64,
    /// The version that this program has.
    pub known: i64,
    /// Whether it has half of a copy only.
    pub is_half_copied: bool,
    /// Whether anybody has opened it as a store yet.
    pub is_used: bool,
    /// Nodes that run on it.
    pub nodes: i64,
}

/// Looks at a database.
///
/// # Errors
/// [`OpenFault`]: it cannot be reached.
pub async fn examine(url: &str, extra_ca_pem: Option<&[u8]>) -> Result<Examined, OpenFault> {
    let connection = connect_alone(url, extra_ca_pem).await?;
    let looked_at = look_at(&connection).await;
    Ok(looked_at.map_err(StoreError::from)?)
}

/// Makes the schema of a database, or brings it up to date, while nodes may be running; its versions before and after.
///
/// # Errors
/// [`OpenFault`].
pub async fn migrate_database(
    url: &str,
    extra_ca_pem: Option<&[u8]>,
) -> Result<(i64, i64), OpenFault> {
    let connection = connect_alone(url, extra_ca_pem).await?;
    let before = schema(&connection).await.map_err(StoreError::from)?;
    migrate(&connection).await?;
    let after = schema(&connection).await.map_err(StoreError::from)?;
    Ok((before, after))
}

async fn look_at(connection: &Connection) -> Result<Examined, Fault> {
    let schema = schema(connection).await?;
    let (nodes, is_used) = match schema {
        0 => (0, false),
        _ => {
            let users = one(connection, USERS, &[], |row| {
                Ok((row.try_get("nodes")?, row.try_get("is_used")?))
            });
            users.await?.unwrap_or((0, false))
        }
    };
    let is_half_copied = is_half_copied(connection).await?;
    // Prepared first, so that the second time is one round trip.
    connection.query(SERVER, &[]).await?;
    let asked_at = Instant::now();
    let server = one(connection, SERVER, &[], |row| {
        Ok(Examined {
            version: row.try_get("version")?,
            is_standby: row.try_get("is_standby")?,
            fsync: row.try_get("fsync")?,
            tls: row.try_get("tls")?,
            clock: row.try_get("clock")?,
            connections: row.try_get("connections")?,
            connected: row.try_get("connected")?,
            round_trip: asked_at.elapsed(),
            schema,
            known: known(),
            is_half_copied,
            is_used,
            nodes,
        })
    });
    server.await?.ok_or(Fault::Raced)
}

async fn schema(connection: &Connection) -> Result<i64, Fault> {
    let has_schema = one(connection, HAS_SCHEMA, &[], |row| Ok(row.try_get(0)?));
    match has_schema.await? {
        Some(true) => found(connection).await,
        _ => Ok(0),
    }
}
