//! Changing: one transaction for each unit of work, which is wholly done or not at all.

use std::sync::Arc;
use std::time::Instant;

use deadpool_postgres::Pool;
use domain::id::{WebhookJobId, WebhookOutSubId};
use futures_util::future::BoxFuture;
use metrics::histogram;
use store::rules::tally::Tally;
use store::{ReadyJob, Rejection, SecretKey};
use tokio::sync::OwnedSemaphorePermit;
use tokio::try_join;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::open::{PostgresStore, Shared};

/// How often a unit of work is done that others get in the way of: each time one of them was done, so that few tries are enough.
pub(crate) const TRIES_MAX: u32 = 5;

/// What a unit of work can reach: its transaction, and what the node shares. Undone when it is dropped before its end.
pub(crate) struct Writing {
    pub(crate) connection: Connection,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tally: Tally,
    effects: Vec<Effect>,
    /// Jobs that became final after they were noted as ready: the lanes are not told of them.
    withdrawn: Vec<WebhookJobId>,
    is_open: bool,
    /// Whether the commit went with what was done last.
    is_last: bool,
    /// Held until the commit is under way, by whom others wait for until then.
    turn: Option<OwnedSemaphorePermit>,
}

/// What the lanes' owner is told after the commit.
pub(crate) enum Effect {
    Ready(ReadyJob),
    Changed(WebhookOutSubId),
    Closed(WebhookOutSubId),
    Mailed,
}

/// A unit of work: done with what was asked for, again where others were in its way.
pub(crate) type Work<A, T> = for<'a> fn(&'a mut Writing, &'a A) -> BoxFuture<'a, Result<T, Fault>>;

impl Writing {
    /// On a connection of a pool. Its transaction is yet to [begin](Writing::begin).
    pub(crate) async fn on(pool: &Pool, shared: Arc<Shared>) -> Result<Writing, Fault> {
        Ok(Writing {
            connection: Connection::new(pool.get().await?),
            shared,
            tally: Tally::default(),
            effects: Vec::new(),
            withdrawn: Vec::new(),
            is_open: true,
            is_last: false,
            turn: None,
        })
    }

    /// Begins the transaction. What is asked first may be sent together with this.
    pub(crate) async fn begin(&self) -> Result<(), Fault> {
        let begin = "begin isolation level read committed";
        self.connection.batch(begin).await
    }

    /// The commit is about to be sent, with what is done last: see [`Writing::commit_with`].
    pub(crate) fn last(&mut self) {
        self.is_last = true;
        self.turn = None;
    }

    /// Does the last thing of the transaction and commits it, both sent together: all is undone where that fails.
    pub(crate) async fn commit_with<T>(
        &self,
        last: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let last = async { Ok::<_, Fault>((last.await?, Instant::now())) };
        let ((done, began), ()) = try_join!(biased; last, self.connection.batch("commit"))?;
        histogram!("postrider_commit_seconds").record(began.elapsed());
        Ok(done)
    }

    /// Others wait for this unit of work until its commit is under way.
    pub(crate) fn hold_up(&mut self, turn: OwnedSemaphorePermit) {
        self.turn = Some(turn);
    }

    /// The key that seals what must not be read by others.
    pub(crate) fn key(&self) -> &SecretKey {
        &self.shared.key
    }

    /// Notes a job that may be started once this is committed.
    pub(crate) fn ready(&mut self, job: ReadyJob) {
        self.effects.push(Effect::Ready(job));
    }

    /// Notes that a job must not be started, though this very transaction may have made it ready.
    pub(crate) fn withdrawn(&mut self, job: WebhookJobId) {
        self.withdrawn.push(job);
    }

    /// Notes a lane that is new or changed.
    pub(crate) fn changed(&mut self, lane: WebhookOutSubId) {
        self.effects.push(Effect::Changed(lane));
    }

    /// Notes a lane that is gone.
    pub(crate) fn closed(&mut self, lane: WebhookOutSubId) {
        self.effects.push(Effect::Closed(lane));
    }

    /// Notes that a mail waits to be sent.
    pub(crate) fn mailed(&mut self) {
        self.effects.push(Effect::Mailed);
    }

    /// Commits what was done and tells the lanes, or undoes what has failed.
    pub(crate) async fn end<T>(mut self, done: Result<T, Fault>) -> Result<T, Fault> {
        let done = match done {
            Ok(done) => done,
            Err(fault) => {
                // A connection that cannot even do this is not given back.
                self.is_open = self.connection.batch("rollback").await.is_err();
                return Err(fault);
            }
        };
        if !self.is_last {
            self.last();
            self.commit_with(async { Ok(()) }).await?;
        }
        self.is_open = false;
        self.tally.count();
        let withdrawn = std::mem::take(&mut self.withdrawn);
        let mut effects = std::mem::take(&mut self.effects);
        effects.retain(|effect| match effect {
            Effect::Ready(job) => !withdrawn.contains(&job.id),
            _ => true,
        });
        // The lanes first: whoever is answered can rely on it that they know.
        let shared = self.shared.clone();
        if !effects.is_empty() {
            shared
                .lanes
                .tell(&self.connection, &shared.key, effects)
                .await;
        }
        Ok(done)
    }
}

/// Whoever asked for the work has gone, or the connection has failed: nobody else shall get a connection with a transaction open.
impl Drop for Writing {
    fn drop(&mut self) {
        if self.is_open {
            self.connection.discard();
        }
    }
}

impl PostgresStore {
    /// Does a unit of work in a transaction of its own, and answers once that is durable.
    pub(crate) async fn write<A: Send + Sync, T: Send>(
        &self,
        asked: A,
        work: Work<A, T>,
    ) -> Result<T, Rejection> {
        let mut tries = 1;
        loop {
            match self.try_once(&asked, work).await {
                Err(fault) if fault.is_passing() && tries < TRIES_MAX => tries += 1,
                done => return done.map_err(Rejection::from),
            }
        }
    }

    async fn try_once<A, T>(&self, asked: &A, work: Work<A, T>) -> Result<T, Fault> {
        let mut writing = Writing::on(&self.pool, self.shared.clone()).await?;
        writing.begin().await?;
        let done = work(&mut writing, asked).await;
        writing.end(done).await
    }
}
