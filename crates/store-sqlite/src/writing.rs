//! What a unit of work can reach while it writes: the transaction, what is known of the tables, and notes of what the
//! lanes must be told once it is committed.

use std::sync::Arc;

use domain::id::{WebhookJobId, WebhookOutSubId};
use rand::rngs::StdRng;
use rusqlite::Connection;
use store::rules::tally::Tally;
use store::{Lane, LaneOwner, MailWaker, ReadyJob, SecretKey};

use crate::fault::Fault;
use crate::known::Known;

/// Jobs made or moved on in one commit, after which it is ended: bounds how long one large fan-out holds up others.
pub(crate) const JOBS_PER_COMMIT_MAX: usize = 1_000;

/// How a piece of work that fails is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Undo {
    /// By a savepoint of its own. SQLite copies every page that is changed under one, which took a fourteenth of the
    /// server's time.
    Piece,
    /// With all of its transaction, whose works are repeated then, each under a savepoint. What can be refused is refused
    /// before it writes, so that only a fault of the store itself comes to this.
    Batch,
}

/// What a transaction can reach.
pub(crate) struct Writing {
    pub(crate) connection: Connection,
    pub(crate) key: SecretKey,
    pub(crate) known: Known,
    pub(crate) owner: Arc<dyn LaneOwner>,
    pub(crate) mail_waker: MailWaker,
    /// For the random part of webhook ids.
    pub(crate) chance: StdRng,
    pub(crate) effects: Vec<Effect>,
    /// Jobs that became final after they were noted as ready: the lanes are not told of them.
    pub(crate) withdrawn: Vec<WebhookJobId>,
    pub(crate) jobs: usize,
    pub(crate) tally: Tally,
    pub(crate) undo: Undo,
    /// Whether a piece failed that only the whole batch can undo.
    pub(crate) is_broken: bool,
}

/// What the lanes' owner is told after the commit.
pub(crate) enum Effect {
    Ready(ReadyJob),
    Changed(Box<Lane>),
    Closed(WebhookOutSubId),
    Mailed,
}

impl Writing {
    /// Notes a job that may be started once this is committed.
    pub(crate) fn ready(&mut self, job: ReadyJob) {
        self.effects.push(Effect::Ready(job));
    }

    /// Notes that a job must not be started, though this very commit may have made it ready.
    pub(crate) fn withdrawn(&mut self, job: WebhookJobId) {
        self.withdrawn.push(job);
    }

    /// Notes a lane that is new or changed.
    pub(crate) fn changed(&mut self, lane: Lane) {
        self.effects.push(Effect::Changed(Box::new(lane)));
    }

    /// Notes a lane that is gone.
    pub(crate) fn closed(&mut self, lane: WebhookOutSubId) {
        self.effects.push(Effect::Closed(lane));
    }

    /// Notes that a mail waits to be sent.
    pub(crate) fn mailed(&mut self) {
        self.effects.push(Effect::Mailed);
    }

    /// Counts jobs towards [`JOBS_PER_COMMIT_MAX`].
    pub(crate) fn count(&mut self, jobs: usize) {
        self.jobs += jobs;
    }

    /// Whether this commit holds as many jobs as it should.
    pub(crate) fn is_full(&self) -> bool {
        self.jobs >= JOBS_PER_COMMIT_MAX
    }

    /// Whether the transaction is gone or will be undone: what follows would be written outside of it, or in vain.
    pub(crate) fn is_lost(&self) -> bool {
        self.is_broken || self.connection.is_autocommit()
    }

    /// Runs `body` wholly or not at all: what it changed is undone if it fails, and nothing else is.
    pub(crate) fn whole<T>(
        &mut self,
        body: impl FnOnce(&mut Writing) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if self.undo == Undo::Batch {
            let result = body(self);
            self.is_broken |= result.is_err();
            return result;
        }
        let (effects, withdrawn) = (self.effects.len(), self.withdrawn.len());
        let tally = self.tally;
        self.execute("savepoint work")?;
        let result = body(self);
        if result.is_ok() {
            self.execute("release work")?;
            return result;
        }
        self.effects.truncate(effects);
        self.withdrawn.truncate(withdrawn);
        self.tally = tally;
        self.known.forget_all();
        // SQLite ends the whole transaction by itself on some errors, such as a full disk.
        if !self.connection.is_autocommit() {
            self.execute("rollback to work")?;
            self.execute("release work")?;
        }
        result
    }

    /// Runs a statement without parameters.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), rusqlite::Error> {
        self.connection.prepare_cached(sql)?.execute([]).map(|_| ())
    }
}
