//! Opening the database, and the ways to work on it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::Pool;
use domain::id::IntegrationId;
use domain::time::Moment;
use rand::RngExt;
use rand::distr::{Distribution, StandardUniform};
use rand::rngs::StdRng;
use store::{Idempotency, Reference, Refusal, SecretKey, Store, StoreError};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use crate::accept::{self, Queue};
use crate::clock::DatabaseClock;
use crate::connection::{Connection, Snapshot};
use crate::fault::Fault;
use crate::known::Known;
use crate::lanes::{self, Lanes, Notices};
use crate::migrate::{MigrateFault, migrate};
use crate::pool::pools;
use crate::{check, copy, idempotency, list_items, partitions, webhook_out_subs};

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
    /// A copy to it has not come to its end.
    #[error(
        "the database has half of a copy: finish that with the same `postrider copy`, or use another database"
    )]
    HalfCopied,
    /// A node works on what is to be copied.
    #[error(
        "a server runs on the database, or did until a moment ago: stop it, and wait for as long as its lease"
    )]
    Served,
    /// The schema cannot be brought up to date.
    #[error(transparent)]
    Schema(#[from] MigrateFault),
}

// primary key
pub(crate) const TOUCH: &str = "update kept_revisions set revision = revision where name = 'words'";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[TOUCH];

/// The store of many nodes. Clones share it.
#[derive(Clone)]
pub struct PostgresStore {
    pub(crate) pool: Pool,
    pub(crate) shared: Arc<Shared>,
}

/// What all work of this node shares.
pub(crate) struct Shared {
    pub(crate) key: SecretKey,
    pub(crate) known: Known,
    pub(crate) queue: Queue,
    /// Whose turn it is: one batch of changes, or of many outcomes, is made at a time.
    pub(crate) turns: Arc<Semaphore>,
    /// Connections of those that accept and record.
    pub(crate) writers: Pool,
    pub(crate) lanes: Lanes,
    pub(crate) clock: Arc<DatabaseClock>,
    /// The task that accepts changes, until it is waited for.
    writer: Mutex<Option<JoinHandle<()>>>,
    /// For the random part of webhook ids, and other things that nobody shall guess.
    chance: Mutex<StdRng>,
}

impl Shared {
    /// Something by chance.
    pub(crate) fn random<T>(&self) -> T
    where
        StandardUniform: Distribution<T>,
    {
        let mut chance = self.chance.lock().unwrap_or_else(PoisonError::into_inner);
        chance.random()
    }
}

impl PostgresStore {
    /// Connects to a database; its schema is made or brought up to date, while other nodes may be running. The vocabularies are
    /// filled with their first words, made at `now`; `chance` makes webhook ids. `lease` is how long this
    /// node has its lanes without a word from it, in whole seconds. `extra_ca_pem` are certificates that are trusted beside Mozilla's.
    ///
    /// # Errors
    /// [`OpenFault`] with the remedy.
    pub async fn open(
        url: &str,
        extra_ca_pem: Option<&[u8]>,
        key: SecretKey,
        chance: StdRng,
        lease: Duration,
        now: Moment,
    ) -> Result<PostgresStore, OpenFault> {
        let (queue, waiting) = Queue::new();
        let (notices, outgoing) = Notices::new();
        let (pool, writers, way) = pools(url, extra_ca_pem, lease)?;
        let store = PostgresStore {
            pool,
            shared: Arc::new(Shared {
                key,
                known: Known::default(),
                queue,
                turns: Arc::new(Semaphore::new(1)),
                writers,
                lanes: Lanes::new(lease, notices),
                clock: Arc::default(),
                writer: Mutex::default(),
                chance: Mutex::new(chance),
            }),
        };
        let of_store = |fault: Fault| OpenFault::Database(fault.into());
        let connection = store.connection().await.map_err(of_store)?;
        // A change of the schema takes as long as it takes.
        let connection = connection.with_patience(Duration::MAX);
        let clock = &store.shared.clock;
        clock.read(&connection).await.map_err(of_store)?;
        if copy::is_half_copied(&connection).await.map_err(of_store)? {
            return Err(OpenFault::HalfCopied);
        }
        migrate(&connection).await?;
        partitions::make_ahead(&connection)
            .await
            .map_err(of_store)?;
        list_items::fill(&connection, now).await.map_err(of_store)?;
        let shared = Arc::downgrade(&store.shared);
        lanes::start(way, store.pool.clone(), shared, outgoing)
            .await
            .map_err(of_store)?;
        let writer = accept::start(store.pool.clone(), Arc::downgrade(&store.shared), waiting);
        if let Ok(mut kept) = store.shared.writer.lock() {
            *kept = Some(writer);
        }
        Ok(store)
    }

    /// The database's clock, which its nodes go by.
    pub fn clock(&self) -> Arc<DatabaseClock> {
        self.shared.clock.clone()
    }

    /// What this node is called from now on: nobody else may be called so, until this process has ended. A node of the same name
    /// that is still on record is then known to have ended.
    pub fn be_called(&self, name: String) {
        self.shared.lanes.be_called(name);
    }

    /// One consistent view of what is committed.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, Fault> {
        Snapshot::of(self.connection().await?).await
    }

    /// A connection of the pool, to read on.
    pub(crate) async fn connection(&self) -> Result<Connection, Fault> {
        Ok(Connection::new(self.pool.get().await?))
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn check_writable(&self) -> Result<(), StoreError> {
        // An empty transaction would touch no disk: the row is written again as it is.
        let connection = self.connection().await?;
        connection.execute(TOUCH, &[]).await?;
        Ok(())
    }

    async fn opens_secrets(&self) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        Ok(webhook_out_subs::opens_newest(&connection, &self.shared.key).await?)
    }

    async fn check(&self, references: Vec<Reference>) -> Result<Vec<Refusal>, StoreError> {
        let connection = self.connection().await?;
        Ok(check::check(&connection, &references).await?)
    }

    async fn is_repeated(
        &self,
        integration_id: IntegrationId,
        idempotency: Idempotency,
        now: Moment,
    ) -> Result<bool, StoreError> {
        let connection = self.connection().await?;
        Ok(idempotency::is_kept(&connection, integration_id.0, &idempotency, now).await?)
    }

    async fn close(&self) {
        self.shared.queue.close();
        let writer = {
            let mut writer = self.shared.writer.lock();
            writer.as_deref_mut().ok().and_then(Option::take)
        };
        if let Some(writer) = writer
            && writer.await.is_err()
        {
            tracing::error!("the writer of the store ended with a panic");
        }
        if let Err(error) = lanes::leave(self).await {
            tracing::warn!(%error, "the lanes of this node were not given back; others take them when its lease ends");
        }
        self.pool.close();
        self.shared.writers.close();
    }
}
