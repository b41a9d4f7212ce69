//! Changes of many requests, accepted in one transaction.
//!
//! Everything that can be refused is refused in memory, before anything is written: a change that is bad touches no other.

use std::collections::HashMap;

use domain::id::OrderId;
use domain::match_trace::Filtering;
use domain::notification::NewNotification;
use domain::order::{AcceptedStage, JobReceipt, OrderStage};
use domain::payload::StageFacts;
use store::rules::match_trace::{FilterResults, decide};
use store::{Created, List, NewOrderStage, OrderRef, Refusal};

use super::order::{self, Known};
use super::payloads::{NewPayload, Payloads, insert_payloads};
use super::read::{self, Read};
use super::stages::{NewStage, insert_stages};
use super::{NewJob, Then, insert_jobs};
use crate::fault::Fault;
use crate::known::{Subscribers, Words};
use crate::writing::Writing;
use crate::{check, idempotency, notifications};

/// What became of a change: accepted now or before, or refused.
type Accepted = Result<Created<AcceptedStage>, Fault>;

/// How a change ends.
enum End {
    /// It was accepted before, or is refused.
    Told(Accepted),
    /// It is the stage at this place.
    Stage(usize),
    /// It is the same as an earlier change of the batch.
    Same(usize),
}

/// What a batch comes to.
#[derive(Default)]
struct Batch {
    orders: Vec<Known>,
    stages: Vec<NewStage>,
    payloads: Vec<NewPayload>,
    notifications: Vec<NewNotification>,
    ends: Vec<End>,
    /// Where in `orders` they are.
    by_external_id: HashMap<(i64, String), usize>,
    by_id: HashMap<OrderId, usize>,
    /// By integration and idempotency key, which change had it first.
    by_key: HashMap<(i64, String), usize>,
}

/// Jobs in one transaction, after which no further change joins it: bounds how long one large fan-out holds up others. No more than
/// outcomes are recorded at once, which take turns with them: what is accepted goes out of memory, and need not be read again.
const JOBS_MAX: usize = 500;

/// Accepts changes in a transaction; what became of the first of them, in their order. It ends early where they make many jobs.
pub(crate) async fn accept_all(
    writing: &mut Writing,
    changes: &[NewOrderStage],
) -> Result<Vec<Accepted>, Fault> {
    let mut read = read::read(writing, changes).await?;
    let shared = writing.shared.clone();
    let words = shared.known.words(&writing.connection, &read.revisions);
    let words = words.await?;
    let mut batch = Batch::default();
    for known in std::mem::take(&mut read.orders) {
        batch.add_order(known);
    }
    for change in changes {
        let end = match batch.repeated(writing, &read, change) {
            Ok(Some(end)) => end,
            Ok(None) => {
                let known = &shared.known;
                let integration = change.integration_id;
                let subscribers =
                    known.subscribers(&writing.connection, integration, &read.revisions);
                // What cannot be read is the fault of this change only, but where the connection fails.
                match subscribers.await {
                    Ok(subscribers) => batch.accept(&mut read, &words, &subscribers, change),
                    Err(fault @ Fault::Sql(_)) => return Err(fault),
                    Err(fault) => Err(fault),
                }
                .unwrap_or_else(|fault| End::Told(Err(fault)))
            }
            Err(fault) => End::Told(Err(fault)),
        };
        batch.note(change, end);
        if batch.jobs() >= JOBS_MAX {
            break;
        }
    }
    let accepted = batch.ends.len();
    batch.store(writing, &changes[..accepted]).await
}

impl Batch {
    /// The answer that an idempotency key has already, here or in the database.
    fn repeated(
        &self,
        writing: &Writing,
        read: &Read,
        change: &NewOrderStage,
    ) -> Result<Option<End>, Fault> {
        let Some(key) = &change.idempotency else {
            return Ok(None);
        };
        let place = (change.integration_id.0, key.key.clone());
        if let Some(first) = self.by_key.get(&place) {
            return Ok(Some(End::Same(*first)));
        }
        let Some(kept) = read.answers.get(&place) else {
            return Ok(None);
        };
        if kept.at <= idempotency::expired_at(change.at) {
            return Ok(None);
        }
        idempotency::refuse_another(&kept.request_hash, key)?;
        let first = idempotency::open(writing.key(), &kept.answer)?;
        Ok(Some(End::Told(Ok(Created::replayed(first)))))
    }

    fn note(&mut self, change: &NewOrderStage, end: End) {
        if let (End::Stage(_), Some(key)) = (&end, &change.idempotency) {
            let place = (change.integration_id.0, key.key.clone());
            self.by_key.insert(place, self.ends.len());
        }
        self.ends.push(end);
    }

    fn jobs(&self) -> usize {
        self.stages.iter().map(|stage| stage.jobs.len()).sum()
    }

    fn add_order(&mut self, known: Known) -> usize {
        let place = self.orders.len();
        let order = &known.order;
        self.by_id.insert(order.id, place);
        if let Some(external) = &order.external_order_id {
            let key = (order.integration_id.0, external.clone());
            self.by_external_id.insert(key, place);
        }
        self.orders.push(known);
        place
    }

    fn find_order(&self, change: &NewOrderStage) -> Option<usize> {
        let integration = change.integration_id;
        match &change.order {
            OrderRef::Id(id) => {
                let place = *self.by_id.get(id)?;
                (self.orders[place].order.integration_id == integration).then_some(place)
            }
            OrderRef::External(external) => {
                let key = (integration.0, external.clone());
                self.by_external_id.get(&key).copied()
            }
        }
    }

    /// Accepts one change in memory.
    fn accept(
        &mut self,
        read: &mut Read,
        words: &Words,
        subscribers: &Subscribers,
        change: &NewOrderStage,
    ) -> Result<End, Fault> {
        let found = self.find_order(change);
        refuse_bad_references(words, change, found.is_none())?;
        let known = match found {
            Some(place) => {
                let mut known = self.orders[place].clone();
                known.advance(change);
                known
            }
            None => {
                let id = read.order_ids.pop_front().ok_or(Fault::Raced)?;
                Known::begin(id, change)
            }
        };
        let id = read.stage_ids.pop_front().ok_or(Fault::Raced)?;
        let stage = OrderStage {
            id,
            integration_id: change.integration_id,
            order_id: known.order.id,
            sequence: known.order.sequence,
            stage: change.stage.clone(),
            event_slug: change.event_slug.clone(),
            update_status: change.update_status,
            stage_at: change.stage_at.unwrap_or(change.at),
            created_at: change.at,
        };
        let new = self.match_stage(subscribers, &known, stage)?;
        match found {
            Some(place) => self.orders[place] = known,
            None => {
                self.add_order(known);
            }
        }
        self.stages.push(new);
        Ok(End::Stage(self.stages.len() - 1))
    }

    /// What a stage meets in the subscriptions, and what they are sent.
    fn match_stage(
        &mut self,
        subscribers: &Subscribers,
        known: &Known,
        stage: OrderStage,
    ) -> Result<NewStage, Fault> {
        // Without a change of status, only the event can match.
        let status = stage.update_status.then_some(stage.stage.as_str());
        let event = stage.event_slug.as_deref();
        let facts = StageFacts::of(&known.order, &stage);
        let mut payloads = Payloads::default();
        let mut filters = FilterResults::default();
        let mut jobs = Vec::new();
        for subscriber in &subscribers.list {
            if !subscriber.triggers.matches(status, event).is_match() {
                continue;
            }
            let filtering = decide(subscriber.filter.as_ref(), &facts);
            filters.note(subscriber.recipient.id, &filtering);
            if filtering != Filtering::Stopped {
                let mut rendered = payloads.of(subscriber, &facts);
                rendered.place += self.payloads.len();
                jobs.push((subscriber.recipient, rendered));
            }
        }
        let filter_results = filters.to_json()?;
        self.payloads.extend(payloads.new);
        self.notifications.extend(payloads.notifications);
        Ok(NewStage {
            stage,
            revision: subscribers.revision,
            filter_results,
            jobs,
        })
    }

    /// Stores everything, and answers.
    async fn store(
        self,
        writing: &mut Writing,
        changes: &[NewOrderStage],
    ) -> Result<Vec<Accepted>, Fault> {
        let connection = &writing.connection;
        let (_, _, payload_ids) = tokio::try_join!(
            order::store(connection, &self.orders),
            insert_stages(connection, &self.stages),
            insert_payloads(connection, &self.payloads),
        )?;
        let new_jobs = self.new_jobs(&payload_ids)?;
        let is_keyed = |(end, change): (&End, &NewOrderStage)| {
            matches!(end, End::Stage(_)) && change.idempotency.is_some()
        };
        let more = self.ends.iter().zip(changes).any(is_keyed) || !self.notifications.is_empty();
        let then = if more { Then::More } else { Then::Commit };
        let ids = insert_jobs(writing, &new_jobs, then).await?;
        for notification in &self.notifications {
            notifications::raise(&writing.connection, notification).await?;
        }
        let mut ids = ids.into_iter();
        let mut accepted: Vec<AcceptedStage> = Vec::new();
        for new in &self.stages {
            let receipts = new.jobs.iter().zip(ids.by_ref());
            let receipts = receipts.map(|((recipient, _), id)| JobReceipt {
                id,
                webhook_out_sub_id: recipient.id,
            });
            accepted.push(AcceptedStage {
                webhook_jobs: receipts.collect(),
                id: new.stage.id,
                order_id: new.stage.order_id,
                stage: new.stage.stage.clone(),
                event_slug: new.stage.event_slug.clone(),
                stage_at: new.stage.stage_at,
            });
        }
        let mut answers = Vec::new();
        for (change, end) in changes.iter().zip(&self.ends) {
            if let (End::Stage(place), Some(key)) = (end, &change.idempotency) {
                let integration_id = change.integration_id.0;
                let answer = serde_json::to_vec(&accepted[*place])?;
                answers.push(idempotency::Answer {
                    integration_id,
                    key,
                    answer,
                    at: change.at,
                });
            }
        }
        idempotency::keep_all(writing, &answers).await?;
        Ok(self.answers(changes, &accepted))
    }

    fn new_jobs(&self, payload_ids: &[i64]) -> Result<Vec<NewJob>, Fault> {
        let mut new_jobs = Vec::new();
        for new in &self.stages {
            for (recipient, rendered) in &new.jobs {
                let id = payload_ids.get(rendered.place).ok_or(Fault::Raced)?;
                let payload = (*id, self.payloads[rendered.place].body.clone());
                let at = new.stage.created_at;
                let failed = rendered.failed.clone();
                new_jobs.push(NewJob::of(*recipient, &new.stage, payload, failed, at));
            }
        }
        Ok(new_jobs)
    }

    fn answers(self, changes: &[NewOrderStage], accepted: &[AcceptedStage]) -> Vec<Accepted> {
        let places: Vec<Option<usize>> = self
            .ends
            .iter()
            .map(|end| match end {
                End::Stage(place) => Some(*place),
                _ => None,
            })
            .collect();
        let ends = self.ends.into_iter().zip(changes);
        ends.map(|(end, change)| match end {
            End::Told(told) => told,
            End::Stage(place) => Ok(Created::fresh(accepted[place].clone())),
            End::Same(first) => {
                let first_key = changes[first].idempotency.as_ref();
                if let (Some(first_key), Some(key)) = (first_key, &change.idempotency) {
                    idempotency::refuse_another(&first_key.request_hash, key)?;
                }
                let place = places[first].ok_or(Fault::Raced)?;
                Ok(Created::replayed(accepted[place].clone()))
            }
        })
        .collect()
    }
}

fn refuse_bad_references(
    words: &Words,
    change: &NewOrderStage,
    is_new_order: bool,
) -> Result<(), Fault> {
    let mut refusals = Vec::new();
    if is_new_order && !change.create_order {
        refusals.push(unknown_order(&change.order));
    }
    let slugs = [
        (List::OrderStatus, "stage", Some(&change.stage)),
        (List::OrderEvent, "event_slug", change.event_slug.as_ref()),
    ];
    for (list, attr, slug) in slugs {
        if slug.is_some_and(|slug| !words.has(list, slug)) {
            refusals.push(Refusal::new(attr, check::unknown_word(list)));
        }
    }
    check::refuse(refusals)
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
