//! A database as the source or the target of a copy; see [`store::copy`].

use std::time::{Duration, Instant};

use async_trait::async_trait;
use store::StoreError;
use store::copy::{Column, CopyFault, CopySource, CopyTarget, Row, TABLES, Table, Value};
use tokio::sync::Mutex;
use tokio_postgres::types::ToSql;

use self::statements::{insert, last_key, places, rows, sequence};
use self::value::{param, params, read};
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::one;
use crate::migrate::migrate;
use crate::open::OpenFault;
use crate::partitions;
use crate::pool::{address, connect_alone};

mod statements;
mod value;

/// What the connection of a copy is set to: building an index or writing many rows may take its time. What a crash takes of a copy under
/// way is copied again, so only its end waits for the disk.
const SET_UP: &str = "set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set synchronous_commit = off";
/// Held by whoever copies to the database; any number that other programs do not use.
const LOCK: &str = "select pg_try_advisory_lock(7815694213740091395)";
/// How long a copy waits for the lock, in seconds: one that was killed has it until the database notices.
const LOCK_SECONDS_MAX: u64 = 5;
/// How often it is tried meanwhile, in milliseconds.
const LOOK_MILLISECONDS: u64 = 50;
/// One view of the source, and no node that begins to serve it meanwhile: each registers first.
const HOLD: &str =
    "begin isolation level repeatable read; lock table nodes in share row exclusive mode";
// all of them: they are few
pub(crate) const NODES_LIVE: &str =
    "select exists (select 1 from nodes where lease_until >= clock_timestamp())";
// nothing but a mark, which is there while the target has half of a copy
const IS_MARKED: &str = "select to_regclass('copy_under_way') is not null";
const MARK: &str = "create table copy_under_way (source text not null)";
const MARKED: &str = "select source from copy_under_way";
const MARK_SOURCE: &str = "insert into copy_under_way (source) values ($1)";
const UNMARK: &str = "drop table copy_under_way";
// primary keys; the embedded store keeps only those that were ever other than healthy
pub(crate) const OPEN_LANES: &str = "insert into lanes (webhook_out_sub_id, integration_id) select id, integration_id from webhook_out_subs s \
     where deleted_at is null and not exists (select 1 from lanes l where l.webhook_out_sub_id = s.id)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[NODES_LIVE, OPEN_LANES];

/// A database that no node serves meanwhile.
pub struct PostgresCopy {
    name: String,
    connection: Mutex<Connection>,
}

/// Whether the database has half of a copy only.
pub(crate) async fn is_half_copied(connection: &Connection) -> Result<bool, Fault> {
    let is_marked = one(connection, IS_MARKED, &[], |row| Ok(row.try_get(0)?));
    Ok(is_marked.await?.unwrap_or(false))
}

impl PostgresCopy {
    /// Opens what is to be copied, its schema brought up to date. What is read is as it was at this moment.
    ///
    /// # Errors
    /// [`OpenFault`]: it cannot be reached, a node serves it, or it is half a copy itself.
    pub async fn source(url: &str, extra_ca_pem: Option<&[u8]>) -> Result<PostgresCopy, OpenFault> {
        let copy = PostgresCopy::open(url, extra_ca_pem).await?;
        let connection = copy.connection.lock().await;
        if is_half_copied(&connection)
            .await
            .map_err(StoreError::from)?
        {
            return Err(OpenFault::HalfCopied);
        }
        connection.batch(HOLD).await.map_err(StoreError::from)?;
        if nodes_live(&connection).await? {
            return Err(OpenFault::Served);
        }
        drop(connection);
        Ok(copy)
    }

    /// Opens what is to be copied to; the schema is made where there is none.
    ///
    /// # Errors
    /// [`OpenFault`]: it cannot be reached.
    pub async fn target(url: &str, extra_ca_pem: Option<&[u8]>) -> Result<PostgresCopy, OpenFault> {
        PostgresCopy::open(url, extra_ca_pem).await
    }

    async fn open(url: &str, extra_ca_pem: Option<&[u8]>) -> Result<PostgresCopy, OpenFault> {
        let connection = connect_alone(url, extra_ca_pem).await?;
        migrate(&connection).await?;
        let set_up = connection.batch(SET_UP).await;
        set_up.map_err(StoreError::from)?;
        Ok(PostgresCopy {
            name: address(url)?,
            connection: Mutex::new(connection),
        })
    }
}

async fn nodes_live(connection: &Connection) -> Result<bool, StoreError> {
    let live = one(connection, NODES_LIVE, &[], |row| Ok(row.try_get(0)?));
    Ok(live.await?.unwrap_or(false))
}

/// Takes the lock of the target; whether that went well.
async fn lock(connection: &Connection) -> Result<bool, Fault> {
    let began = Instant::now();
    loop {
        let locked = one(connection, LOCK, &[], |row| Ok(row.try_get(0)?)).await?;
        if locked == Some(true) || began.elapsed() >= Duration::from_secs(LOCK_SECONDS_MAX) {
            return Ok(locked == Some(true));
        }
        tokio::time::sleep(Duration::from_millis(LOOK_MILLISECONDS)).await;
    }
}

#[async_trait]
impl CopySource for PostgresCopy {
    fn name(&self) -> &str {
        &self.name
    }

    async fn rows(
        &self,
        table: &'static Table,
        columns: &[Column],
        after: Option<&Row>,
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let connection = self.connection.lock().await;
        let sql = rows(table, columns, after.is_some(), limit);
        Ok(query(&connection, &sql, columns, after).await?)
    }

    async fn last_key(&self, table: &'static Table) -> Result<Option<Row>, StoreError> {
        let connection = self.connection.lock().await;
        let found = query(&connection, &last_key(table), &table.key(), None).await;
        Ok(found?.pop())
    }
}

async fn query(
    connection: &Connection,
    sql: &str,
    columns: &[Column],
    values: Option<&Row>,
) -> Result<Vec<Row>, Fault> {
    let values: Vec<_> = values.into_iter().flatten().map(param).collect();
    let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
    let found = connection.query(sql, &values).await?;
    found.iter().map(|row| read(row, columns)).collect()
}

#[async_trait]
impl CopyTarget for PostgresCopy {
    async fn begin(&self, source: &str) -> Result<(), CopyFault> {
        let connection = self.connection.lock().await;
        let place = || self.name.clone();
        if !lock(&connection).await.map_err(StoreError::from)? {
            return Err(CopyFault::UnderWay { place: place() });
        }
        if nodes_live(&connection).await? {
            return Err(CopyFault::Served { place: place() });
        }
        let is_marked = is_half_copied(&connection).await;
        if is_marked.map_err(StoreError::from)? {
            let of = one(&connection, MARKED, &[], |row| Ok(row.try_get(0)?));
            let of: String = of.await.map_err(StoreError::from)?.unwrap_or_default();
            return match of == source {
                true => Ok(()),
                false => Err(CopyFault::OfAnother { place: place(), of }),
            };
        }
        for table in TABLES {
            let sql = format!("select 1 from {} limit 1", table.name);
            let found = connection.query(&sql, &[]).await;
            if !found.map_err(StoreError::from)?.is_empty() {
                let (place, table) = (place(), table.name);
                return Err(CopyFault::Occupied { place, table });
            }
        }
        Ok(mark(&connection, source).await.map_err(StoreError::from)?)
    }

    async fn prepare(&self, table: &'static Table, last: &Row) -> Result<(), StoreError> {
        let Some(Value::Integer(id)) = last.first() else {
            return Ok(());
        };
        let connection = self.connection.lock().await;
        for place in places(table) {
            partitions::make_up_to(&connection, place.table, *id).await?;
        }
        Ok(())
    }

    async fn add(&self, table: &'static Table, mut rows: Vec<Row>) -> Result<(), StoreError> {
        let connection = self.connection.lock().await;
        let columns = table.all_columns();
        let values = params(&columns, &mut rows);
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as _).collect();
        let places = places(table);
        let added = async {
            connection.batch("begin").await?;
            for place in places {
                let sql = insert(place, &columns);
                connection.execute(&sql, &values).await?;
            }
            connection.batch("commit").await
        };
        let added: Result<(), Fault> = added.await;
        if added.is_err() {
            // Whatever was under way is undone then; a connection that is gone has undone it already.
            drop(connection.batch("rollback").await);
        }
        Ok(added?)
    }

    async fn complete(&self) -> Result<(), StoreError> {
        let connection = self.connection.lock().await;
        let mut statements = vec!["set synchronous_commit = on; begin".to_owned()];
        statements.push(OPEN_LANES.to_owned());
        statements.extend(TABLES.iter().filter_map(sequence));
        statements.push(UNMARK.to_owned());
        statements.push("commit".to_owned());
        connection.batch(&statements.join("; ")).await?;
        // Of tables that were filled at once, the planner knows nothing yet.
        Ok(connection.batch("analyze").await?)
    }
}

async fn mark(connection: &Connection, source: &str) -> Result<(), Fault> {
    connection.batch("begin").await?;
    connection.batch(MARK).await?;
    connection.execute(MARK_SOURCE, &[&source]).await?;
    connection.batch("commit").await
}

#[cfg(test)]
mod tests;
