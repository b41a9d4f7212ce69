//! Units of work that are one function: it runs in a transaction of the writer, and its caller is answered once that is durable.

use store::{Rejection, StoreError};
use tokio::sync::oneshot;

use crate::fault::Fault;
use crate::writer::{Progress, Work};
use crate::writing::Writing;

/// Where the caller waits.
type Reply<T> = oneshot::Sender<Result<T, Rejection>>;

/// A unit of work that is one function.
pub(crate) struct Once<F, T> {
    body: Option<F>,
    result: Option<Result<T, Fault>>,
    reply: Option<Reply<T>>,
}

impl<F, T> Once<F, T> {
    pub(crate) fn new(body: F, reply: Reply<T>) -> Once<F, T> {
        Once {
            body: Some(body),
            result: None,
            reply: Some(reply),
        }
    }
}

impl<F, T> Work for Once<F, T>
where
    F: FnOnce(&mut Writing) -> Result<T, Fault> + Send,
    T: Send,
{
    fn run(&mut self, writing: &mut Writing) -> Progress {
        if let Some(body) = self.body.take() {
            self.result = Some(writing.whole(body));
        }
        Progress::Done
    }

    fn committed(&mut self, committed: Result<(), StoreError>) {
        let result = match (committed, self.result.take()) {
            (Ok(()), Some(result)) => result.map_err(Rejection::from),
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Failed("a unit of work ran twice".to_owned()).into()),
        };
        if let Some(reply) = self.reply.take() {
            // A caller that has gone away is told nothing; its change stands.
            drop(reply.send(result));
        }
    }
}

/// A unit of work that is one function, which can be run again.
pub(crate) struct Repeatable<F> {
    body: F,
    result: Result<(), Fault>,
    reply: Option<Reply<()>>,
}

impl<F> Repeatable<F> {
    pub(crate) fn new(body: F, reply: Reply<()>) -> Repeatable<F> {
        Repeatable {
            body,
            result: Ok(()),
            reply: Some(reply),
        }
    }
}

impl<F: FnMut(&mut Writing) -> Result<(), Fault> + Send> Work for Repeatable<F> {
    fn run(&mut self, writing: &mut Writing) -> Progress {
        self.result = writing.whole(&mut self.body);
        Progress::Done
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn goes_first(&self) -> bool {
        true
    }

    fn committed(&mut self, committed: Result<(), StoreError>) {
        let done = std::mem::replace(&mut self.result, Ok(()));
        let result = committed.map_err(Rejection::from);
        let result = result.and(done.map_err(Rejection::from));
        if let Some(reply) = self.reply.take() {
            // A caller that has gone away is told nothing; its change stands.
            drop(reply.send(result));
        }
    }
}
