//! A connection, and the ways to ask something over it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_postgres::Object;
use store::StoreError;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::fault::{Fault, unavailable};
use crate::list_query::Value;

/// The values of a statement's placeholders.
pub(crate) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How long an answer may take, in seconds: longer than the database lets a statement run. What takes longer does not come: the server
/// stands still, or something on the way to it swallows what is sent.
const ANSWER_SECONDS_MAX: u64 = 35;

/// A connection of the pool. Statements are prepared when they are first asked for, and kept.
pub(crate) struct Connection {
    object: Option<Object>,
    /// How long an answer is waited for.
    patience: Duration,
    /// Whether an answer did not come.
    is_silent: AtomicBool,
}

impl Connection {
    pub(crate) fn new(object: Object) -> Connection {
        Connection {
            object: Some(object),
            patience: Duration::from_secs(ANSWER_SECONDS_MAX),
            is_silent: AtomicBool::new(false),
        }
    }

    /// The same, for work whose answers may take so long.
    pub(crate) fn with_patience(mut self, patience: Duration) -> Connection {
        self.patience = patience;
        self
    }

    /// Runs a statement; how many rows it changed.
    pub(crate) async fn execute(&self, sql: &str, params: Params<'_>) -> Result<u64, Fault> {
        let client = self.client()?;
        self.answer(async {
            let statement = client.prepare_cached(sql).await?;
            client.execute(&statement, params).await
        })
        .await
    }

    /// The rows that a statement finds.
    pub(crate) async fn query(&self, sql: &str, params: Params<'_>) -> Result<Vec<Row>, Fault> {
        let client = self.client()?;
        self.answer(async {
            let statement = client.prepare_cached(sql).await?;
            client.query(&statement, params).await
        })
        .await
    }

    /// The rows that a statement finds that was put together for this once: it is not kept.
    pub(crate) async fn query_once(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Fault> {
        let typed: Vec<_> = values.iter().map(Value::typed).collect();
        let client = self.client()?;
        self.answer(client.query_typed(sql, &typed)).await
    }

    /// Prepares a statement, without running it.
    #[cfg(test)]
    pub(crate) async fn prepare(&self, sql: &str) -> Result<(), Fault> {
        let prepared = self.answer(self.client()?.prepare_cached(sql)).await;
        prepared.map(|_| ())
    }

    /// The types of a statement's placeholders, as PostgreSQL calls them.
    #[cfg(test)]
    pub(crate) async fn parameter_types(&self, sql: &str) -> Result<Vec<String>, Fault> {
        let prepared = self.client()?.prepare_cached(sql).await?;
        let types = prepared.params().iter();
        Ok(types.map(|kind| kind.name().to_owned()).collect())
    }

    /// Runs statements without parameters.
    pub(crate) async fn batch(&self, sql: &str) -> Result<(), Fault> {
        self.answer(self.client()?.batch_execute(sql)).await
    }

    /// Never gives the connection back: the database ends whatever was under way on it.
    pub(crate) fn discard(&mut self) {
        self.object.take().map(Object::take);
    }

    /// Waits for an answer, but not for ever.
    async fn answer<T>(
        &self,
        asking: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Fault> {
        match tokio::time::timeout(self.patience, asking).await {
            Ok(answered) => Ok(answered?),
            Err(_) => {
                self.is_silent.store(true, Ordering::Relaxed);
                Err(unavailable("the database does not answer"))
            }
        }
    }

    fn client(&self) -> Result<&Object, Fault> {
        let gone = || StoreError::Failed("a connection was used after its end".to_owned());
        Ok(self.object.as_ref().ok_or_else(gone)?)
    }
}

/// Nobody else shall wait for what does not answer.
impl Drop for Connection {
    fn drop(&mut self) {
        if self.is_silent.load(Ordering::Relaxed) {
            self.discard();
        }
    }
}

/// One consistent view of what is committed; ended when it is dropped.
pub(crate) struct Snapshot {
    pub(crate) connection: Connection,
}

impl Snapshot {
    pub(crate) async fn of(connection: Connection) -> Result<Snapshot, Fault> {
        let snapshot = Snapshot { connection };
        let begin = "begin isolation level repeatable read read only";
        snapshot.connection.batch(begin).await?;
        Ok(snapshot)
    }
}

/// Seldom used: the connection goes with it.
impl Drop for Snapshot {
    fn drop(&mut self) {
        self.connection.discard();
    }
}
