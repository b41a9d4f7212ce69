//! A reported change becomes a stage, its payloads and its jobs: the first half of the hottest path.

mod jobs;
mod order;
mod payloads;

use domain::order::AcceptedStage;
use store::{Created, List, NewOrderStage, OrderRef, Refusal, Rejection, StoreError};
use tokio::sync::oneshot;

pub(crate) use self::jobs::{Recipient, add_job};
pub(crate) use self::order::{begin, street};
pub(crate) use self::payloads::{Body, Payload, Payloads, store_payload};
use crate::fault::Fault;
use crate::open::SqliteStore;
use crate::writer::{Progress, Work};
use crate::writing::Writing;
use crate::{check, idempotency};

/// Stages in one piece of work: bounds what one long list adds to a commit.
const STAGES_PER_WORK_MAX: usize = 100;

/// The statements of both halves.
#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] =
    &[jobs::STATEMENTS, order::STATEMENTS, payloads::STATEMENTS];

type Receipt = Result<Created<AcceptedStage>, Rejection>;

/// Accepts changes; see [`store::OrderStages::accept`].
pub(crate) async fn accept(store: &SqliteStore, mut stages: Vec<NewOrderStage>) -> Vec<Receipt> {
    let mut answers = Vec::new();
    while !stages.is_empty() {
        let later = stages.split_off(stages.len().min(STAGES_PER_WORK_MAX));
        let piece = std::mem::replace(&mut stages, later);
        let size = piece.len();
        let (reply, answer) = oneshot::channel();
        let work = Accepting {
            stages: piece,
            done: Vec::with_capacity(size),
            durable: 0,
            reply: Some(reply),
        };
        answers.push((size, store.hand_in(Box::new(work)).await.map(|()| answer)));
    }
    let mut receipts = Vec::new();
    for (size, answer) in answers {
        match answer {
            Ok(answer) => match answer.await {
                Ok(piece) => receipts.extend(piece),
                Err(_) => receipts.extend(vec![refused_while_closing(); size]),
            },
            Err(error) => receipts.extend(vec![Err(error.into()); size]),
        }
    }
    receipts
}

fn refused_while_closing() -> Receipt {
    Err(StoreError::Unavailable("the store is closing".to_owned()).into())
}

/// Stages on their way into the store.
struct Accepting {
    stages: Vec<NewOrderStage>,
    /// Of the first of them.
    done: Vec<Receipt>,
    /// How many of `done` are committed.
    durable: usize,
    reply: Option<oneshot::Sender<Vec<Receipt>>>,
}

impl Work for Accepting {
    fn run(&mut self, writing: &mut Writing) -> Progress {
        while let Some(stage) = self.stages.get(self.done.len()) {
            let receipt = accept_one(writing, stage);
            self.done.push(receipt.map_err(Rejection::from));
            if writing.is_lost() {
                break;
            }
            if writing.is_full() && self.done.len() < self.stages.len() {
                return Progress::More;
            }
        }
        Progress::Done
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn repeat(&mut self) {
        self.done.truncate(self.durable);
    }

    fn committed(&mut self, result: Result<(), StoreError>) {
        if let Err(error) = result {
            self.done.truncate(self.durable);
            self.done.resize(self.stages.len(), Err(error.into()));
        }
        self.durable = self.done.len();
        if self.durable == self.stages.len()
            && let Some(reply) = self.reply.take()
        {
            // A caller that has gone away is told nothing; what was accepted stands.
            drop(reply.send(std::mem::take(&mut self.done)));
        }
    }
}

/// One stage. Everything that can be refused is refused before anything is written, so that only a
/// fault of the store itself has to be undone.
fn accept_one(writing: &mut Writing, new: &NewOrderStage) -> Result<Created<AcceptedStage>, Fault> {
    if let Some(key) = &new.idempotency
        && let Some(first) = idempotency::find(writing, new.integration_id.0, key, new.at)?
    {
        return Ok(Created::replayed(first));
    }
    let known = order::find_order(&writing.connection, new)?;
    refuse_bad_references(writing, new, known.is_none())?;
    writing.whole(|writing| {
        let accepted = match known {
            Some(order) => order::advance(writing, order, new)?,
            None => begin(writing, new)?.1,
        };
        if let Some(key) = &new.idempotency {
            idempotency::keep(writing, new.integration_id.0, key, &accepted, new.at)?;
        }
        Ok(Created::fresh(accepted))
    })
}

fn refuse_bad_references(
    writing: &mut Writing,
    new: &NewOrderStage,
    is_new_order: bool,
) -> Result<(), Fault> {
    let mut refusals = Vec::new();
    if is_new_order && !new.create_order {
        refusals.push(unknown_order(&new.order));
    }
    let words = [
        (List::OrderStatus, "stage", Some(&new.stage)),
        (List::OrderEvent, "event_slug", new.event_slug.as_ref()),
    ];
    for (list, attr, slug) in words {
        if let Some(slug) = slug
            && !writing.known.has_word(&writing.connection, list, slug)?
        {
            refusals.push(Refusal::new(attr, check::unknown_word(list)));
        }
    }
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(Fault::Refused(refusals))
    }
}

fn unknown_order(order: &OrderRef) -> Refusal {
    match order {
        OrderRef::Id(_) => Refusal::new("order_id", "does not exist in this integration"),
        OrderRef::External(_) => Refusal::new(
            "external_order_id",
            "does not exist in this integration; make it with orders/create, or set create_order",
        ),
    }
}
