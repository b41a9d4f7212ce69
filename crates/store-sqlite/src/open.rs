//! Opening a data folder, and the two ways to work on it.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::time::Moment;
use rand::rngs::StdRng;
use store::{Idempotency, Reference, Refusal, Rejection, SecretKey, Store, StoreError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::checkpointer::Checkpointer;
use crate::connection::open_writer;
use crate::fault::Fault;
use crate::migrate::{MigrateFault, migrate};
use crate::readers::Readers;
use crate::work::{Once, Repeatable};
use crate::writer::{self, QUEUE_WORKS_MAX, Work};
use crate::writing::Writing;
use crate::{check, clock_set, copy, idempotency, list_items, webhook_out_subs};

/// The database, within the data folder.
pub(crate) const DATABASE_FILE: &str = "postrider.db";
/// Held by the process that serves, within the data folder.
pub(crate) const LOCK_FILE: &str = "serve.lock";
/// Entered by its owner only.
const FOLDER_MODE: u32 = 0o700;
/// How long a request waits for a place in the writer's queue before it is told to come again.
const QUEUE_SECONDS_MAX: u64 = 5;

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The folder cannot be made or written.
    #[error(
        "the data folder {folder} cannot be used: {error}; make it writable, or name another with --data"
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The file is no database, or the disk fails.
    #[error("the database {file} cannot be opened: {error}")]
    Database {
        /// The file.
        file: PathBuf,
        /// SQLite's words.
        error: rusqlite::Error,
    },
    /// The schema cannot be brought up to date.
    #[error("the database {file} cannot be used: {fault}")]
    Schema {
        /// The file.
        file: PathBuf,
        /// Why.
        fault: MigrateFault,
    },
    /// There is nothing in the folder.
    #[error("the data folder {folder} has no database")]
    NoData {
        /// The folder.
        folder: PathBuf,
    },
    /// A copy to it has not come to its end.
    #[error(
        "the data folder {folder} has half of a copy: finish that with the same `postrider copy`, or name another folder with \
         --data"
    )]
    HalfCopied {
        /// The folder.
        folder: PathBuf,
    },
    /// Another server works on this folder.
    #[error(
        "another `postrider serve` is running on the data folder {folder}: stop it first, or name \
         another folder with --data"
    )]
    Served {
        /// The folder.
        folder: PathBuf,
    },
}

/// The right to serve a data folder; given back when dropped, and by the system when the process ends.
#[derive(Debug)]
pub struct ServeLock {
    file: File,
}

/// The way to the writer.
type Queue = mpsc::Sender<Box<dyn Work>>;

/// The embedded store. Clones share it.
#[derive(Clone)]
pub struct SqliteStore {
    /// Dropped when the store is closed; then the writer's queue ends.
    queue: Arc<Mutex<Option<Queue>>>,
    sender: mpsc::WeakSender<Box<dyn Work>>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
    pub(crate) readers: Readers,
    pub(crate) key: SecretKey,
}

/// Makes the data folder if there is none, for its owner's eyes only: orders hold people's addresses.
///
/// # Errors
/// [`OpenFault::Folder`].
pub fn make_folder(folder: &Path) -> Result<(), OpenFault> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(FOLDER_MODE).create(folder);
    made.map_err(|error| OpenFault::Folder {
        folder: folder.to_owned(),
        error,
    })
}

/// Whether the folder has a database.
pub fn has_data(folder: &Path) -> bool {
    folder.join(DATABASE_FILE).exists()
}

impl ServeLock {
    /// How far the clock was set back since the folder's database was last written, if it was. Asked before that is opened; for
    /// [`store::Lanes::clock_set`].
    pub fn clock_set_back(&self, folder: &Path, now: Moment) -> Option<Duration> {
        clock_set::since_last_write(&folder.join(DATABASE_FILE), now)
    }

    /// The file that is locked, as the system has it.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Takes the right to serve the folder, which is made if there is none.
    ///
    /// # Errors
    /// [`OpenFault::Served`] where another process has it; [`OpenFault::Folder`].
    pub fn take(folder: &Path) -> Result<ServeLock, OpenFault> {
        let unusable = |error| OpenFault::Folder {
            folder: folder.to_owned(),
            error,
        };
        make_folder(folder)?;
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let file = options.open(folder.join(LOCK_FILE)).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(ServeLock { file }),
            Err(TryLockError::WouldBlock) => Err(OpenFault::Served {
                folder: folder.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

impl SqliteStore {
    /// Opens the database of a data folder; folder, file and schema are made where there are none. The
    /// vocabularies are filled with their first words, made at `now`; `chance` makes webhook ids. Callers are answered on the
    /// current runtime; there must be one. Where the clock was
    /// set back since the last process, what waits is brought along.
    ///
    /// # Errors
    /// [`OpenFault`] with the remedy.
    pub fn open(
        folder: &Path,
        key: SecretKey,
        chance: StdRng,
        now: Moment,
    ) -> Result<SqliteStore, OpenFault> {
        let unusable = |error| OpenFault::Folder {
            folder: folder.to_owned(),
            error,
        };
        make_folder(folder)?;
        let path = folder.join(DATABASE_FILE);
        let unreadable = |error| OpenFault::Database {
            file: path.clone(),
            error,
        };
        let connection = open_writer(&path).map_err(unreadable)?;
        if copy::is_half_copied(&connection).map_err(unreadable)? {
            return Err(OpenFault::HalfCopied {
                folder: folder.to_owned(),
            });
        }
        migrate(&connection).map_err(|fault| OpenFault::Schema {
            file: path.clone(),
            fault,
        })?;
        list_items::fill(&connection, now).map_err(unreadable)?;
        let readers = Readers::start(path.clone()).map_err(unusable)?;
        let checkpointer = Checkpointer::start(path.clone()).map_err(unusable)?;
        let (sender, queue) = mpsc::channel(QUEUE_WORKS_MAX);
        let runtime = Handle::current();
        let file = path.clone();
        let kept_key = key.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer::run(connection, file, key, checkpointer, chance, runtime, queue))
            .map_err(unusable)?;
        Ok(SqliteStore {
            sender: sender.downgrade(),
            queue: Arc::new(Mutex::new(Some(sender))),
            thread: Arc::new(Mutex::new(Some(thread))),
            readers,
            key: kept_key,
        })
    }

    /// Hands a unit of work to the writer.
    ///
    /// # Errors
    /// When the queue stays full, or the store is closed.
    pub(crate) async fn hand_in(&self, work: Box<dyn Work>) -> Result<(), StoreError> {
        let unavailable = |reason: &str| StoreError::Unavailable(reason.to_owned());
        let sender = self
            .sender
            .upgrade()
            .ok_or_else(|| unavailable("the store is closed"))?;
        let patience = Duration::from_secs(QUEUE_SECONDS_MAX);
        match sender.send_timeout(work, patience).await {
            Ok(()) => Ok(()),
            Err(_) => Err(unavailable("too many changes wait to be written")),
        }
    }

    /// Runs `body` in a transaction of its own making, and answers once that is durable.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        body: impl FnOnce(&mut Writing) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Rejection> {
        let (reply, answer) = oneshot::channel();
        self.hand_in(Box::new(Once::new(body, reply))).await?;
        answer.await.unwrap_or_else(|_| Err(closing()))
    }

    /// As [`SqliteStore::write`], for what can be run again after its transaction was undone. It is done before all that waits.
    pub(crate) async fn write_repeatable(
        &self,
        body: impl FnMut(&mut Writing) -> Result<(), Fault> + Send + 'static,
    ) -> Result<(), Rejection> {
        let (reply, answer) = oneshot::channel();
        self.hand_in(Box::new(Repeatable::new(body, reply))).await?;
        answer.await.unwrap_or_else(|_| Err(closing()))
    }

    /// Runs `body` on one consistent view of what is committed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        body: impl FnOnce(&rusqlite::Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.readers.read(body).await
    }
}

fn closing() -> Rejection {
    StoreError::Unavailable("the store is closing".to_owned()).into()
}

#[async_trait]
impl Store for SqliteStore {
    async fn check_writable(&self) -> Result<(), StoreError> {
        // An empty transaction would touch no disk: the row is written again as it is. Repeatable, so that it shares the fate of
        // the changes beside it: a disk that is full for them may have room for one page.
        let touched = self.write_repeatable(|writing| {
            writing
                .connection
                .execute("update list_items set active = active where id = 1", [])?;
            Ok(())
        });
        touched.await.map_err(StoreError::from)
    }

    async fn opens_secrets(&self) -> Result<bool, StoreError> {
        let key = self.key.clone();
        self.read(move |connection| webhook_out_subs::opens_newest(connection, &key))
            .await
    }

    async fn check(&self, references: Vec<Reference>) -> Result<Vec<Refusal>, StoreError> {
        self.read(move |connection| check::check(connection, &references))
            .await
    }

    async fn is_repeated(
        &self,
        integration_id: IntegrationId,
        idempotency: Idempotency,
        now: Moment,
    ) -> Result<bool, StoreError> {
        self.read(move |connection| {
            idempotency::is_kept(connection, integration_id.0, &idempotency, now)
        })
        .await
    }

    async fn close(&self) {
        let queue = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(queue);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // The writer ends once the last work that was handed in is committed.
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the writer of the store ended with a panic");
            }
        }
        self.readers.close();
    }
}
