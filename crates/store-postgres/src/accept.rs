//! Reported changes become stages, payloads and jobs: the first half of the hottest path.
//!
//! Changes of many requests are accepted in one transaction: what all of them need is read in one go, the rules are applied in memory, one
//! change after another, and what came of it is stored by one statement for each table.

mod batch;
mod jobs;
mod order;
mod payloads;
mod read;
mod stages;
mod writer;

use domain::order::AcceptedStage;
use store::{Created, NewOrderStage, Rejection};

pub(crate) use self::batch::accept_all;
pub(crate) use self::jobs::{Group, NewJob, Recipient, Then, insert_jobs};
pub(crate) use self::order::street;
pub(crate) use self::payloads::{Body, Payloads, Rendered, insert_payloads};
pub(crate) use self::writer::{Queue, start};
use crate::open::PostgresStore;

/// Stages in one transaction: bounds how long one long list holds up others.
const STAGES_MAX: usize = 100;
/// What is sent together with others.
pub(crate) const TOGETHER: &[&[&str]] = &[
    read::TOGETHER,
    &[stages::INSERT, payloads::INSERT, jobs::INSERT],
    order::TOGETHER,
];

#[cfg(test)]
pub(crate) const STATEMENTS: &[&[&str]] = &[
    jobs::STATEMENTS,
    order::STATEMENTS,
    payloads::STATEMENTS,
    read::STATEMENTS,
    stages::STATEMENTS,
];

/// What became of a change.
pub(crate) type Receipt = Result<Created<AcceptedStage>, Rejection>;

/// Accepts changes; see [`store::OrderStages::accept`].
pub(crate) async fn accept(store: &PostgresStore, mut stages: Vec<NewOrderStage>) -> Vec<Receipt> {
    let mut receipts = Vec::with_capacity(stages.len());
    while !stages.is_empty() {
        let later = stages.split_off(stages.len().min(STAGES_MAX));
        let piece = std::mem::replace(&mut stages, later);
        // One after another, since that is the order of the list.
        receipts.extend(store.shared.queue.hand_in(piece).await);
    }
    receipts
}
