//! Group commit: the changes of many requests go into one transaction, whose cost is shared by all that wait for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use deadpool_postgres::Pool;
use store::{NewOrderStage, Rejection, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::{Receipt, STAGES_MAX, accept_all};
use crate::fault::Fault;
use crate::open::{PostgresStore, Shared};
use crate::writing::{TRIES_MAX, Writing};

/// Lists of changes that wait for the writer; more have to wait outside.
const QUEUE_MAX: usize = 4_096;
/// Transactions of changes at once: where a commit takes long, others are made meanwhile.
const TRANSACTIONS_MAX: u32 = 2;
/// How long a request waits for a place in the queue before it is told to come again.
const QUEUE_SECONDS_MAX: u64 = 5;

/// Changes of one request, and where the answer goes.
struct Asked {
    stages: Vec<NewOrderStage>,
    reply: oneshot::Sender<Vec<Receipt>>,
}

/// The way to the writer; closed when it is dropped.
pub(crate) struct Queue(Mutex<Option<mpsc::Sender<Asked>>>);

/// The writer's end of the queue.
pub(crate) struct Waiting(mpsc::Receiver<Asked>);

impl Queue {
    pub(crate) fn new() -> (Queue, Waiting) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        (Queue(Mutex::new(Some(sender))), Waiting(receiver))
    }

    /// Refuses everything from now on; what was handed in is still done.
    pub(crate) fn close(&self) {
        let mut sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sender.take();
    }

    /// Hands in changes, and waits for what becomes of them.
    pub(super) async fn hand_in(&self, stages: Vec<NewOrderStage>) -> Vec<Receipt> {
        let size = stages.len();
        let refused = |reason: &str| {
            let error = StoreError::Unavailable(reason.to_owned());
            vec![Err(Rejection::Store(error)); size]
        };
        let sender = {
            let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            sender.clone()
        };
        let Some(sender) = sender else {
            return refused("the store is closed");
        };
        let (reply, answer) = oneshot::channel();
        let patience = Duration::from_secs(QUEUE_SECONDS_MAX);
        let asked = Asked { stages, reply };
        if sender.send_timeout(asked, patience).await.is_err() {
            return refused("too many changes wait to be written");
        }
        drop(sender);
        let answer = answer.await;
        answer.unwrap_or_else(|_| refused("the store is closing"))
    }
}

/// Starts the writer; it ends when the queue is closed and empty, or nobody has the store any more.
pub(crate) fn start(pool: Pool, shared: Weak<Shared>, waiting: Waiting) -> JoinHandle<()> {
    tokio::spawn(run(pool, shared, waiting))
}

async fn run(pool: Pool, shared: Weak<Shared>, waiting: Waiting) {
    let places = Arc::new(Semaphore::new(TRANSACTIONS_MAX as usize));
    accept_until_closed(pool, shared, waiting, &places).await;
    // What was handed in is done once nobody has a place any more.
    drop(places.acquire_many(TRANSACTIONS_MAX).await);
}

/// One transaction after another, each of all that waits, in turns with [many outcomes](crate::record::record).
async fn accept_until_closed(
    pool: Pool,
    shared: Weak<Shared>,
    mut waiting: Waiting,
    places: &Arc<Semaphore>,
) {
    let mut left = VecDeque::new();
    loop {
        if left.is_empty() {
            match waiting.0.recv().await {
                Some(asked) => left.push_back(asked),
                None => return,
            }
        }
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let Some(place) = place(places, &mut left, &mut waiting).await else {
            return;
        };
        let Ok(turn) = shared.turns.clone().acquire_owned().await else {
            return;
        };
        while let Ok(asked) = waiting.0.try_recv() {
            left.push_back(asked);
        }
        let store = PostgresStore {
            pool: pool.clone(),
            shared,
        };
        let taken = take(&mut left);
        tokio::spawn(async move {
            commit(&store, taken, turn).await;
            drop(place);
        });
    }
}

/// The place of a transaction: beside others only where a whole one waits. What would be less waits for the end of those, since small
/// transactions cost as much as large ones, and nodes that share a database make each other's small.
async fn place(
    places: &Arc<Semaphore>,
    left: &mut VecDeque<Asked>,
    waiting: &mut Waiting,
) -> Option<OwnedSemaphorePermit> {
    loop {
        while let Ok(asked) = waiting.0.try_recv() {
            left.push_back(asked);
        }
        let stages: usize = left.iter().map(|asked| asked.stages.len()).sum();
        if stages >= STAGES_MAX {
            return places.clone().acquire_owned().await.ok();
        }
        tokio::select! {
            biased;
            all = places.clone().acquire_many_owned(TRANSACTIONS_MAX) => return all.ok()?.split(1),
            Some(asked) = waiting.0.recv() => left.push_back(asked),
        }
    }
}

/// As many of those that wait as one transaction takes; at least one.
fn take(left: &mut VecDeque<Asked>) -> Vec<Asked> {
    let (mut taken, mut stages) = (Vec::new(), 0);
    while let Some(asked) = left.front() {
        stages += asked.stages.len();
        if stages > STAGES_MAX && !taken.is_empty() {
            break;
        }
        taken.extend(left.pop_front());
    }
    taken
}

/// Accepts what many have asked for, and answers them all.
async fn commit(store: &PostgresStore, asked: Vec<Asked>, turn: OwnedSemaphorePermit) {
    let (mut stages, mut replies) = (Vec::new(), Vec::new());
    for asked in asked {
        replies.push((asked.stages.len(), asked.reply));
        stages.extend(asked.stages);
    }
    let mut receipts = accept_in_pieces(store, &stages, turn).await.into_iter();
    for (count, reply) in replies {
        let receipts = receipts.by_ref().take(count).collect();
        // A caller that has gone away is told nothing; what was accepted stands.
        drop(reply.send(receipts));
    }
}

/// In one transaction, or in more where they make many jobs.
async fn accept_in_pieces(
    store: &PostgresStore,
    stages: &[NewOrderStage],
    turn: OwnedSemaphorePermit,
) -> Vec<Receipt> {
    let mut turn = Some(turn);
    let mut receipts: Vec<Receipt> = Vec::with_capacity(stages.len());
    while receipts.len() < stages.len() {
        let left = &stages[receipts.len()..];
        receipts.extend(accept_some(store, left, &mut turn).await);
    }
    receipts
}

/// The first of them in one transaction. Where the database refuses them for a reason that nobody foresaw, the first one alone, so
/// that only the one at fault is left out.
async fn accept_some(
    store: &PostgresStore,
    stages: &[NewOrderStage],
    turn: &mut Option<OwnedSemaphorePermit>,
) -> Vec<Receipt> {
    let fault = match try_together(store, stages, turn).await {
        Ok(receipts) => return receipts,
        Err(fault) => fault,
    };
    let error = StoreError::from(fault);
    let refused = |count| vec![Err(Rejection::Store(error.clone())); count];
    // One that is not there for these is not there for each of them either.
    if stages.len() == 1 || matches!(error, StoreError::Unavailable(_)) {
        return refused(stages.len());
    }
    tracing::warn!(%error, "changes could not be accepted together; they are accepted one by one");
    let alone = try_together(store, &stages[..1], turn).await;
    alone.unwrap_or_else(|fault| vec![Err(fault.into())])
}

async fn try_together(
    store: &PostgresStore,
    stages: &[NewOrderStage],
    turn: &mut Option<OwnedSemaphorePermit>,
) -> Result<Vec<Receipt>, Fault> {
    let mut tries = 1;
    loop {
        match try_once(store, stages, turn).await {
            Err(fault) if fault.is_passing() && tries < TRIES_MAX => tries += 1,
            done => return done,
        }
    }
}

async fn try_once(
    store: &PostgresStore,
    stages: &[NewOrderStage],
    turn: &mut Option<OwnedSemaphorePermit>,
) -> Result<Vec<Receipt>, Fault> {
    let mut writing = Writing::on(&store.shared.writers, store.shared.clone()).await?;
    if let Some(turn) = turn.take() {
        writing.hold_up(turn);
    }
    let accepted = accept_all(&mut writing, stages).await;
    let accepted = writing.end(accepted).await?;
    let receipts = accepted.into_iter();
    Ok(receipts.map(|one| one.map_err(Rejection::from)).collect())
}
