//! Reading: a few connections, used on the runtime's blocking threads.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use store::StoreError;
use tokio::sync::Semaphore;

use crate::connection::open_reader;
use crate::fault::{Fault, of_sqlite};

/// Most reads at once: reading is short, and the machine has few cores.
const READERS_MAX: usize = 4;

/// Connections that read.
#[derive(Clone)]
pub(crate) struct Readers {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    /// Opens nothing yet.
    pub(crate) fn new(path: PathBuf) -> Readers {
        Readers {
            shared: Arc::new(Shared {
                path,
                idle: Mutex::default(),
                permits: Semaphore::new(READERS_MAX),
            }),
        }
    }

    /// Runs `work` on one consistent view of what is committed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let stopped = |_| StoreError::Unavailable("the store is closing".to_owned());
        let _permit = self.shared.permits.acquire().await.map_err(stopped)?;
        let shared = self.shared.clone();
        let done = tokio::task::spawn_blocking(move || shared.run(work)).await;
        // A panic in a read is a defect; its request ends, the connection is given up.
        done.map_err(|error| StoreError::Failed(format!("a read ended early: {error}")))?
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.shared.path
    }

    /// Refuses reads from now on.
    pub(crate) fn close(&self) {
        self.shared.permits.close();
        self.shared.idle().clear();
    }
}

impl Shared {
    fn run<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reader(&self.path).map_err(|error| of_sqlite(&error))?,
        };
        let sql = |error| of_sqlite(&error);
        connection.execute_batch("begin").map_err(sql)?;
        let result = work(&connection).map_err(StoreError::from);
        connection.execute_batch("rollback").map_err(sql)?;
        self.idle().push(connection);
        result
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        // The list is whole whenever the lock is free.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
