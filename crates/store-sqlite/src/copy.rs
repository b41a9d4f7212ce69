//! The embedded store as the source or the target of a copy; see [`store::copy`].

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use store::StoreError;
use store::copy::{Column, CopyFault, CopySource, CopyTarget, Row, TABLES, Table};

use self::statements::{insert, last_key, rows};
use self::value::{read, written};
use crate::connection::{open_reader, open_writer};
use crate::fault::of_sqlite;
use crate::migrate::migrate;
use crate::open::{DATABASE_FILE, OpenFault, ServeLock, has_data};

mod statements;
mod value;

/// Pages in the log after which a copy moves them into the database: 16 MiB.
const LOG_PAGES: u32 = 4_096;

// nothing but a mark, which is there while the target has half of a copy
const MARK: &str = "create table copy_under_way (source text not null) strict";
const MARK_SOURCE: &str = "insert into copy_under_way (source) values (?1)";
const MARKED: &str = "select source from copy_under_way";
const UNMARK: &str = "drop table copy_under_way";
const IS_MARKED: &str = "select count(*) from sqlite_schema where name = 'copy_under_way'";
/// Whose each payload is: the embedded store has no such column, and no index of jobs by payload.
const WHOSE_PAYLOADS: &str = "create temp table whose_payloads (payload_id integer primary key, integration_id integer not null); \
     insert or ignore into whose_payloads select payload_id, integration_id from webhook_jobs";

/// The database of a folder that nobody serves meanwhile.
pub struct SqliteCopy {
    name: String,
    connection: Arc<Mutex<Connection>>,
    _lock: ServeLock,
}

/// Whether the database has half of a copy only.
pub(crate) fn is_half_copied(connection: &Connection) -> Result<bool, rusqlite::Error> {
    connection.query_row(IS_MARKED, [], |row| row.get(0))
}

impl SqliteCopy {
    /// Opens what is to be copied, its schema brought up to date. What is read is as it was at this moment.
    ///
    /// # Errors
    /// [`OpenFault`]: there is no such database, a server runs on it, or it is half a copy itself.
    pub fn source(folder: &Path) -> Result<SqliteCopy, OpenFault> {
        if !has_data(folder) {
            return Err(OpenFault::NoData {
                folder: folder.to_owned(),
            });
        }
        let (lock, connection) = open(folder)?;
        let file = folder.join(DATABASE_FILE);
        let unreadable = |error| OpenFault::Database {
            file: file.clone(),
            error,
        };
        if is_half_copied(&connection).map_err(unreadable)? {
            return Err(OpenFault::HalfCopied {
                folder: folder.to_owned(),
            });
        }
        drop(connection);
        let connection = open_reader(&file).map_err(unreadable)?;
        connection.execute_batch("begin").map_err(unreadable)?;
        let whose = connection.execute_batch(WHOSE_PAYLOADS);
        whose.map_err(unreadable)?;
        Ok(SqliteCopy::new(folder, connection, lock))
    }

    /// Opens what is to be copied to; folder and database are made where there are none.
    ///
    /// # Errors
    /// [`OpenFault`]: it cannot be written, or a server runs on it.
    pub fn target(folder: &Path) -> Result<SqliteCopy, OpenFault> {
        let (lock, connection) = open(folder)?;
        let set_up = connection
            .pragma_update(None, "wal_autocheckpoint", LOG_PAGES)
            // What a power cut takes of a copy under way is copied again: only the end has to be durable.
            .and_then(|()| connection.pragma_update(None, "synchronous", "normal"));
        set_up.map_err(|error| OpenFault::Database {
            file: folder.join(DATABASE_FILE),
            error,
        })?;
        Ok(SqliteCopy::new(folder, connection, lock))
    }

    fn new(folder: &Path, connection: Connection, lock: ServeLock) -> SqliteCopy {
        SqliteCopy {
            name: format!("sqlite:{}", folder.display()),
            connection: Arc::new(Mutex::new(connection)),
            _lock: lock,
        }
    }

    /// Runs `work` where it may block.
    async fn run<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let connection = self.connection.clone();
        let done = tokio::task::spawn_blocking(move || {
            let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&connection)
        });
        let ended = |error| StoreError::Failed(format!("copying ended early: {error}"));
        done.await.map_err(ended)?
    }
}

fn open(folder: &Path) -> Result<(ServeLock, Connection), OpenFault> {
    let lock = ServeLock::take(folder)?;
    let file = folder.join(DATABASE_FILE);
    let connection = open_writer(&file).map_err(|error| OpenFault::Database {
        file: file.clone(),
        error,
    })?;
    migrate(&connection).map_err(|fault| OpenFault::Schema { file, fault })?;
    Ok((lock, connection))
}

#[async_trait]
impl CopySource for SqliteCopy {
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
        let (columns, after) = (columns.to_vec(), after.cloned());
        self.run(move |connection| {
            let sql = rows(table, &columns, after.is_some(), limit);
            query(connection, &sql, &columns, after.unwrap_or_default())
        })
        .await
    }

    async fn last_key(&self, table: &'static Table) -> Result<Option<Row>, StoreError> {
        self.run(move |connection| {
            let found = query(connection, &last_key(table), &table.key(), Row::new());
            Ok(found?.pop())
        })
        .await
    }
}

fn query(
    connection: &Connection,
    sql: &str,
    columns: &[Column],
    values: Row,
) -> Result<Vec<Row>, StoreError> {
    let sqlite = |error| of_sqlite(&error);
    let mut statement = connection.prepare_cached(sql).map_err(sqlite)?;
    let values = values.into_iter().map(written);
    let mut found = statement.query(params_from_iter(values)).map_err(sqlite)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(sqlite)? {
        rows.push(read(row, columns).map_err(sqlite)?);
    }
    Ok(rows)
}

#[async_trait]
impl CopyTarget for SqliteCopy {
    async fn begin(&self, source: &str) -> Result<(), CopyFault> {
        let (place, source) = (self.name.clone(), source.to_owned());
        self.run(move |connection| {
            let sqlite = |error| of_sqlite(&error);
            if is_half_copied(connection).map_err(sqlite)? {
                let of: String = connection
                    .query_row(MARKED, [], |row| row.get(0))
                    .map_err(sqlite)?;
                return match of == source {
                    true => Ok(()),
                    false => Err(CopyFault::OfAnother { place, of }),
                };
            }
            for table in TABLES {
                let sql = format!("select 1 from {} limit 1", table.name);
                let found = connection.query_row(&sql, [], |_| Ok(())).optional();
                if found.map_err(sqlite)?.is_some() {
                    let table = table.name;
                    return Err(CopyFault::Occupied { place, table });
                }
            }
            let transaction = connection.unchecked_transaction().map_err(sqlite)?;
            transaction.execute(MARK, []).map_err(sqlite)?;
            let marked = transaction.execute(MARK_SOURCE, [source]);
            marked.map_err(sqlite)?;
            Ok(transaction.commit().map_err(sqlite)?)
        })
        .await
    }

    async fn prepare(&self, _table: &'static Table, _last: &Row) -> Result<(), StoreError> {
        // A file grows by itself.
        Ok(())
    }

    async fn add(&self, table: &'static Table, rows: Vec<Row>) -> Result<(), StoreError> {
        self.run(move |connection| {
            let sqlite = |error| of_sqlite(&error);
            // What follows them is PostgreSQL's alone.
            let columns = table.columns().len();
            let transaction = connection.unchecked_transaction().map_err(sqlite)?;
            let mut statement = transaction.prepare_cached(&insert(table)).map_err(sqlite)?;
            for row in rows {
                let values = row.into_iter().take(columns).map(written);
                let added = statement.execute(params_from_iter(values));
                added.map_err(sqlite)?;
            }
            drop(statement);
            transaction.commit().map_err(sqlite)
        })
        .await
    }

    async fn complete(&self) -> Result<(), StoreError> {
        self.run(|connection| {
            let sqlite = |error| of_sqlite(&error);
            let durable = connection.pragma_update(None, "synchronous", "full");
            durable.map_err(sqlite)?;
            connection.execute(UNMARK, []).map_err(sqlite)?;
            let moved = connection.query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()));
            moved.map_err(sqlite)
        })
        .await
    }
}

#[cfg(test)]
mod tests;
