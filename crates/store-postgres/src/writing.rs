//! Changing: one transaction for each unit of work, which is wholly done or not at all.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use store::{Rejection, SecretKey};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::open::{PostgresStore, Shared};

/// How often a unit of work is done that others get in the way of: each time one of them was done, so that few tries are enough.
const TRIES_MAX: u32 = 5;

/// What a unit of work can reach: its transaction, and what the node shares. Undone when it is dropped before its end.
pub(crate) struct Writing {
    pub(crate) connection: Connection,
    pub(crate) shared: Arc<Shared>,
    is_open: bool,
}

/// A unit of work: done with what was asked for, again where others were in its way.
pub(crate) type Work<A, T> = for<'a> fn(&'a mut Writing, &'a A) -> BoxFuture<'a, Result<T, Fault>>;

impl Writing {
    async fn begin(store: &PostgresStore) -> Result<Writing, Fault> {
        let writing = Writing {
            connection: store.connection().await?,
            shared: store.shared.clone(),
            is_open: true,
        };
        let begin = "begin isolation level read committed";
        writing.connection.batch(begin).await?;
        Ok(writing)
    }

    /// The key that seals what must not be read by others.
    pub(crate) fn key(&self) -> &SecretKey {
        &self.shared.key
    }

    async fn commit(mut self) -> Result<(), Fault> {
        self.connection.batch("commit").await?;
        self.is_open = false;
        Ok(())
    }

    async fn roll_back(mut self) {
        // A connection that cannot even do this is not given back.
        self.is_open = self.connection.batch("rollback").await.is_err();
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
        let mut writing = Writing::begin(self).await?;
        match work(&mut writing, asked).await {
            Ok(done) => writing.commit().await.map(|()| done),
            Err(fault) => {
                writing.roll_back().await;
                Err(fault)
            }
        }
    }
}
