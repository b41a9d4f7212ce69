//! Reading: a few threads, each with a connection that it keeps.
//!
//! They are the store's own and not the runtime's blocking threads: of those, short reads that follow each other closely
//! start dozens, each of which holds on to memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use crossbeam_channel::{Receiver, Sender, unbounded};
use rusqlite::Connection;
use store::StoreError;
use tokio::sync::oneshot;

use crate::connection::open_reader;
use crate::fault::{Fault, of_sqlite};

/// Most reads at once: reading is short, and the machine has few cores.
const READERS_MAX: usize = 4;

/// A read that waits for a thread.
type Work = Box<dyn FnOnce(&mut Reader) + Send>;

/// The threads that read. They end when this is closed or dropped, once nothing waits any more.
#[derive(Clone)]
pub(crate) struct Readers {
    path: PathBuf,
    /// Taken when they are closed.
    queue: Arc<Mutex<Option<Sender<Work>>>>,
}

impl Readers {
    /// Starts the threads, which open nothing yet.
    ///
    /// # Errors
    /// When the system gives no more threads.
    pub(crate) fn start(path: PathBuf) -> io::Result<Readers> {
        let (sender, queue) = unbounded();
        for _ in 0..READERS_MAX {
            let (reader, queue) = (Reader::new(path.clone()), queue.clone());
            thread::Builder::new()
                .name("store-reader".to_owned())
                .spawn(move || reader.run(&queue))?;
        }
        Ok(Readers {
            path,
            queue: Arc::new(Mutex::new(Some(sender))),
        })
    }

    /// Runs `work` on one consistent view of what is committed.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let sender = self.queue().clone();
        let sent = sender.is_some_and(|sender| {
            let work = move |reader: &mut Reader| {
                // Whoever gave up waiting needs no read.
                if !reply.is_closed() {
                    drop(reply.send(reader.read(work)));
                }
            };
            sender.send(Box::new(work)).is_ok()
        });
        if !sent {
            let reason = "the store is closing".to_owned();
            return Err(StoreError::Unavailable(reason));
        }
        // Only a panic answers nothing.
        let ended_early = |_| StoreError::Failed("a read ended early".to_owned());
        answer.await.map_err(ended_early)?
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses reads from now on.
    pub(crate) fn close(&self) {
        self.queue().take();
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Option<Sender<Work>>> {
        // It is whole whenever the lock is free.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a thread has: its connection, from the first read on.
struct Reader {
    path: PathBuf,
    connection: Option<Connection>,
}

impl Reader {
    fn new(path: PathBuf) -> Reader {
        Reader {
            path,
            connection: None,
        }
    }

    /// Serves the queue until nobody can add to it any more.
    fn run(mut self, queue: &Receiver<Work>) {
        for work in queue {
            // The connection of a read that panics is gone, and its caller learns that no answer comes.
            drop(catch_unwind(AssertUnwindSafe(|| work(&mut self))));
        }
    }

    fn read<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        // One that fails to begin or to end a transaction, or in the middle of a panic, is not used again.
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => open_reader(&self.path).map_err(|error| of_sqlite(&error))?,
        };
        let sql = |error| of_sqlite(&error);
        connection.execute_batch("begin").map_err(sql)?;
        let result = work(&connection).map_err(StoreError::from);
        connection.execute_batch("rollback").map_err(sql)?;
        self.connection = Some(connection);
        result
    }
}
