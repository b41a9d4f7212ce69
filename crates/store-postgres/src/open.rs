//! Opening the database, and the ways to work on it.

use std::sync::Arc;

use deadpool_postgres::Pool;
use domain::time::Moment;
use store::{SecretKey, StoreError};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::migrate::{MigrateFault, migrate};
use crate::pool::pool;
use crate::{list_items, partitions};

/// Why a database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The URL says nothing that could be connected to.
    #[error(
        "the database URL cannot be used: {0}; it is written postgres://user:password@host:5432/name"
    )]
    Url(String),
    /// TLS cannot be set up.
    #[error("TLS to the database cannot be set up: {0}")]
    Tls(String),
    /// The database cannot be reached, or refuses.
    #[error("the database cannot be used: {0}")]
    Database(#[from] StoreError),
    /// The schema cannot be brought up to date.
    #[error(transparent)]
    Schema(#[from] MigrateFault),
}

/// The store of many nodes. Clones share it.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) pool: Pool,
    pub(crate) shared: Arc<Shared>,
}

/// What all work of this node shares.
pub(crate) struct Shared {
    pub(crate) key: SecretKey,
}

impl PostgresStore {
    /// Connects to a database; its schema is made or brought up to date, while other nodes may be running. The vocabularies are
    /// filled with their first words, made at `now`. `extra_ca_pem` are certificates that are trusted beside Mozilla's.
    ///
    /// # Errors
    /// [`OpenFault`] with the remedy.
    pub async fn open(
        url: &str,
        extra_ca_pem: Option<&[u8]>,
        key: SecretKey,
        now: Moment,
    ) -> Result<PostgresStore, OpenFault> {
        let store = PostgresStore {
            pool: pool(url, extra_ca_pem)?,
            shared: Arc::new(Shared { key }),
        };
        let of_store = |fault: Fault| OpenFault::Database(fault.into());
        let connection = store.connection().await.map_err(of_store)?;
        migrate(&connection).await?;
        partitions::make_ahead(&connection)
            .await
            .map_err(of_store)?;
        list_items::fill(&connection, now).await.map_err(of_store)?;
        Ok(store)
    }

    /// A connection of the pool, to read on.
    pub(crate) async fn connection(&self) -> Result<Connection, Fault> {
        Ok(Connection::new(self.pool.get().await?))
    }
}
