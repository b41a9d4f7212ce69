//! Writing: one thread, one connection, many units of work in each commit.
//!
//! Callers hand in [`Work`] over a bounded queue. The thread takes what waits, runs each piece in one transaction,
//! commits once, and only then tells the lanes and answers everybody: the disk's slowness is shared by all that wait
//! for it. A piece that fails takes nobody with it ([`Undo`]); a commit that fails takes all.
//!
//! What lanes must know is noted during the transaction and told after the commit, in the order of
//! commits.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use metrics::histogram;
use rand::rngs::StdRng;
use rusqlite::Connection;
use store::rules::tally::Tally;
use store::{LaneOwner, NoLanes, ReadyJob, SecretKey, StoreError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::checkpointer::{Advice, Checkpointer, move_log};
use crate::connection::open_writer;
use crate::fault::of_sqlite;
use crate::known::Known;
use crate::round::Round;
use crate::writing::{Effect, Undo, Writing};

/// Pieces of work in one commit: bounds how long the first of them waits.
const WORKS_PER_COMMIT_MAX: usize = 512;
/// Pieces of work that wait in the queue, and as many that are lined up already; more have to wait outside.
pub(crate) const QUEUE_WORKS_MAX: usize = 4_096;

/// A unit of work that is wholly done or not at all.
pub(crate) trait Work: Send {
    /// Does it, or the next part of it. Nothing is known to be durable until [`Work::committed`].
    fn run(&mut self, writing: &mut Writing) -> Progress;

    /// Whether it can be run again from its last commit on, whatever it did since.
    fn is_repeatable(&self) -> bool {
        false
    }

    /// Whether it is done before all that waits: the outcomes of deliveries are, or they would wait behind the changes of as many
    /// callers as there are, and deliveries behind them.
    fn goes_first(&self) -> bool {
        false
    }

    /// Forgets what it did since its last commit: that was undone.
    fn repeat(&mut self) {}

    /// Told after the commit of what [`Work::run`] did last. The last call answers the caller.
    fn committed(&mut self, result: Result<(), StoreError>);
}

/// How far a unit of work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// All is done.
    Done,
    /// There is more, for another commit.
    More,
}

/// The thread's own state.
struct Writer {
    writing: Writing,
    runtime: Handle,
    path: PathBuf,
    checkpointer: Checkpointer,
    log_pages: Arc<AtomicUsize>,
    /// Changes when another process has written.
    data_version: i64,
    /// Whether the last commit failed: an outage is logged when it begins and when it ends.
    is_failing: bool,
    /// The last one.
    last: Round,
}

/// Runs until the queue is closed and empty.
pub(crate) fn run(
    connection: Connection,
    path: PathBuf,
    key: SecretKey,
    checkpointer: Checkpointer,
    chance: StdRng,
    runtime: Handle,
    mut queue: mpsc::Receiver<Box<dyn Work>>,
) {
    let writing = Writing {
        connection,
        key,
        known: Known::default(),
        owner: Arc::new(NoLanes),
        mail_waker: Arc::new(|| ()),
        chance,
        effects: Vec::new(),
        withdrawn: Vec::new(),
        jobs: 0,
        tally: Tally::default(),
        undo: Undo::Piece,
        is_broken: false,
    };
    let mut writer = Writer {
        writing,
        runtime,
        path,
        checkpointer,
        log_pages: Arc::default(),
        data_version: 0,
        is_failing: false,
        last: Round::default(),
    };
    writer.watch_log();
    let mut unfinished: Vec<Box<dyn Work>> = Vec::new();
    loop {
        if unfinished.is_empty() {
            match queue.blocking_recv() {
                Some(work) => unfinished.push(work),
                None => break,
            }
        }
        thread::sleep(writer.last.pause(unfinished.len() + queue.len()));
        unfinished = writer.commit_batch(unfinished, &mut queue);
    }
    writer.finish_log();
}

impl Writer {
    /// Does `first` and what waits in the queue, commits, and tells everybody. Returns the works that
    /// have more to do, or whose turn it is next.
    fn commit_batch(
        &mut self,
        first: Vec<Box<dyn Work>>,
        queue: &mut mpsc::Receiver<Box<dyn Work>>,
    ) -> Vec<Box<dyn Work>> {
        let began = Instant::now();
        let mut waiting = line_up(first, queue);
        let is_repeatable = waiting.front().is_some_and(|work| work.is_repeatable());
        let undo = if is_repeatable {
            Undo::Batch
        } else {
            Undo::Piece
        };
        let mut batch: Vec<(Box<dyn Work>, Progress)> = Vec::new();
        let mut result = self.begin(undo);
        let has_begun = result.is_ok();
        while let Some(mut work) = waiting.pop_front().or_else(|| queue.try_recv().ok()) {
            if work.is_repeatable() != is_repeatable {
                waiting.push_front(work);
                break;
            }
            let progress = self.run(&mut *work, &mut result);
            batch.push((work, progress));
            if batch.len() >= WORKS_PER_COMMIT_MAX
                || self.writing.is_full()
                || self.writing.is_broken
            {
                break;
            }
        }
        let works = batch.len();
        if self.writing.is_broken {
            result = self.repeat(&mut batch);
        }
        let result = result.and_then(|()| self.commit());
        self.note(&result);
        // Where another process holds the database, nothing has begun and nothing is to be undone.
        if result.is_err() && has_begun {
            self.roll_back();
        }
        // The lanes first: whoever is answered can rely on it that they know.
        self.tell();
        let mut unfinished = Vec::from(waiting);
        let mut done = Vec::with_capacity(batch.len());
        for (mut work, progress) in batch {
            if progress == Progress::More && result.is_ok() {
                work.committed(Ok(()));
                unfinished.push(work);
            } else {
                done.push(work);
            }
        }
        self.answer(done, result);
        self.keep_log_short();
        self.last = Round {
            works,
            lasted: began.elapsed(),
        };
        unfinished
    }

    /// Tells callers what became of their work. Several on the runtime's own threads: to wake each of them from this one took
    /// longer, and the next commit waits for it.
    fn answer(&self, mut done: Vec<Box<dyn Work>>, result: Result<(), StoreError>) {
        let is_alone = done.len() == 1;
        let mut answer = move || {
            for work in &mut done {
                work.committed(result.clone());
            }
        };
        if is_alone {
            return answer();
        }
        self.runtime.spawn(async move { answer() });
    }

    fn begin(&mut self, undo: Undo) -> Result<(), StoreError> {
        self.writing.undo = undo;
        self.writing.is_broken = false;
        self.writing.jobs = 0;
        let begun = self
            .writing
            .execute("begin immediate")
            .and_then(|()| self.data_version());
        let version = begun.map_err(|error| of_sqlite(&error))?;
        if version != self.data_version {
            self.data_version = version;
            self.writing.known.forget_all();
        }
        Ok(())
    }

    fn run(&mut self, work: &mut dyn Work, result: &mut Result<(), StoreError>) -> Progress {
        if result.is_err() {
            return Progress::Done;
        }
        let progress = work.run(&mut self.writing);
        // SQLite ends the whole transaction by itself on some errors, such as a full disk.
        if self.writing.connection.is_autocommit() {
            *result = Err(StoreError::Unavailable(
                "the disk is full or failing; nothing of this commit was kept".to_owned(),
            ));
        }
        progress
    }

    /// Undoes a batch of which one piece failed, and does it again, so that only that piece is left out.
    fn repeat(&mut self, batch: &mut [(Box<dyn Work>, Progress)]) -> Result<(), StoreError> {
        self.forget();
        let mut result = self.begin(Undo::Piece);
        for (work, progress) in batch {
            work.repeat();
            *progress = self.run(&mut **work, &mut result);
        }
        result
    }

    fn data_version(&self) -> Result<i64, rusqlite::Error> {
        let mut statement = self
            .writing
            .connection
            .prepare_cached("pragma data_version")?;
        statement.query_row([], |row| row.get(0))
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let began = Instant::now();
        let committed = self.writing.execute("commit");
        histogram!("postrider_commit_seconds").record(began.elapsed());
        committed.map_err(|error| of_sqlite(&error))?;
        self.writing.tally.count();
        Ok(())
    }

    /// Leaves nothing of the batch behind. The connection is opened anew: after an error of the disk,
    /// what the system's cache holds cannot be trusted, and SQLite recovers from the log.
    fn roll_back(&mut self) {
        self.forget();
        match open_writer(&self.path) {
            Ok(connection) => {
                self.writing.connection = connection;
                self.watch_log();
            }
            // The old one stays, and is given up after the next commit if that fails too.
            Err(error) => tracing::debug!(%error, "the database cannot be opened anew"),
        }
    }

    fn forget(&mut self) {
        self.writing.effects.clear();
        self.writing.withdrawn.clear();
        self.writing.tally = Tally::default();
        self.writing.known.forget_all();
        if !self.writing.connection.is_autocommit()
            && let Err(error) = self.writing.execute("rollback")
        {
            tracing::error!(%error, "a transaction cannot be rolled back");
        }
    }

    /// Logs the beginning and the end of an outage.
    fn note(&mut self, result: &Result<(), StoreError>) {
        match result {
            Err(error) if !self.is_failing => {
                tracing::error!(%error, "commits fail; requests are refused until they succeed");
            }
            Ok(()) if self.is_failing => tracing::info!("commits succeed again"),
            _ => {}
        }
        self.is_failing = result.is_err();
    }

    /// Tells the lanes' owner what was committed.
    fn tell(&mut self) {
        let owner = self.writing.owner.clone();
        let withdrawn = std::mem::take(&mut self.writing.withdrawn);
        let mut ready = Vec::new();
        for effect in self.writing.effects.drain(..) {
            match effect {
                Effect::Ready(job) if withdrawn.contains(&job.id) => {}
                Effect::Ready(job) => ready.push(job),
                // What is ready was so before the lane changed, and must not be told after it.
                Effect::Changed(lane) => {
                    tell_ready(&*owner, &mut ready);
                    owner.changed(*lane);
                }
                Effect::Closed(lane) => {
                    tell_ready(&*owner, &mut ready);
                    owner.closed(lane);
                }
                Effect::Mailed => (self.writing.mail_waker)(),
            }
        }
        tell_ready(&*owner, &mut ready);
    }

    fn watch_log(&mut self) {
        let pages = self.log_pages.clone();
        let hook = move |_: &mut rusqlite::hooks::Wal, length: i32| {
            pages.store(usize::try_from(length).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        if let Err(error) = self.writing.connection.wal_hook(Some(hook)) {
            tracing::warn!(%error, "the write-ahead log cannot be watched");
        }
    }

    fn keep_log_short(&mut self) {
        let pages = self.log_pages.load(Ordering::Relaxed);
        if self.checkpointer.log_has(pages) == Advice::Finish {
            self.finish_log();
        }
    }

    fn finish_log(&self) {
        // It says itself what is wrong, and the log is as good as before.
        drop(move_log(&self.writing.connection));
    }
}

/// What waits, in the order in which it is done: those whose turn it was, then those in the queue, but for what goes first.
fn line_up(
    first: Vec<Box<dyn Work>>,
    queue: &mut mpsc::Receiver<Box<dyn Work>>,
) -> VecDeque<Box<dyn Work>> {
    let mut waiting = VecDeque::from(first);
    while waiting.len() < QUEUE_WORKS_MAX
        && let Ok(work) = queue.try_recv()
    {
        if work.goes_first() {
            waiting.push_front(work);
        } else {
            waiting.push_back(work);
        }
    }
    waiting
}

fn tell_ready(owner: &dyn LaneOwner, ready: &mut Vec<ReadyJob>) {
    if !ready.is_empty() {
        owner.ready(std::mem::take(ready));
    }
}
