//! One seed: a store beside a model, and what ids the store gave to what is in the model.

use domain::id::{IntegrationId, OrderId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use rand::RngExt;
use rand::rngs::StdRng;
use store::{Change, NewIntegration, NewWebhookOutSub, Rejection, StoreError};

use super::command::draw_sub;
use super::model::Model;
use crate::{START, Working, World, change, new_sub};

pub(super) struct Run<'a, S> {
    pub(super) world: &'a World<S>,
    pub(super) model: Model,
    pub(super) now: Moment,
    /// Of each record of the model, by its place.
    pub(super) integrations: Vec<IntegrationId>,
    pub(super) subs: Vec<WebhookOutSubId>,
    pub(super) orders: Vec<OrderId>,
    pub(super) stages: Vec<OrderStageId>,
    pub(super) jobs: Vec<WebhookJobId>,
}

impl<'a, S: Working> Run<'a, S> {
    /// A small world that no other seed meets.
    pub(super) async fn begin(
        world: &'a World<S>,
        seed: u64,
        chance: &mut StdRng,
    ) -> Result<Run<'a, S>, String> {
        let mut run = Run {
            world,
            model: Model::default(),
            now: START,
            integrations: Vec::new(),
            subs: Vec::new(),
            orders: Vec::new(),
            stages: Vec::new(),
            jobs: Vec::new(),
        };
        for place in 0..chance.random_range(1..=2) {
            let key = format!("random-{seed}-{place}");
            let new = NewIntegration {
                name: key.clone(),
                key,
                retention_days: None,
                idempotency: None,
            };
            let made = world.store.create_integration(new, run.change()).await;
            run.integrations.push(made.map_err(said)?.record.id);
        }
        for place in 0..chance.random_range(2..=4) {
            let sub = draw_sub(run.integrations.len(), chance);
            let words = |words: &[&str]| words.iter().map(|one| (*one).to_owned()).collect();
            let new = NewWebhookOutSub {
                statuses: words(sub.statuses),
                events: words(sub.events),
                ordering: sub.ordering,
                supersede: sub.supersede,
                ..new_sub(run.integrations[sub.integration], &format!("sub-{place}"))
            };
            let made = world.store.create_webhook_out_sub(new, run.change()).await;
            run.subs.push(made.map_err(said)?.record.sub.id);
            run.model.subs.push(sub);
        }
        world.told.take();
        Ok(run)
    }

    pub(super) fn change(&self) -> Change {
        Change {
            at: self.now,
            ..change(0)
        }
    }

    /// The place of a job.
    pub(super) fn place_of(&self, job: WebhookJobId) -> usize {
        place(&self.jobs, job)
    }

    pub(super) fn places_of(&self, jobs: impl IntoIterator<Item = WebhookJobId>) -> Vec<usize> {
        jobs.into_iter().map(|job| self.place_of(job)).collect()
    }
}

/// The place of an id; far beyond all of them where the model has none.
pub(super) fn place<Id: PartialEq>(ids: &[Id], id: Id) -> usize {
    ids.iter().position(|one| *one == id).unwrap_or(usize::MAX)
}

/// A refusal, or a fault, that nothing explains.
pub(super) fn said(rejection: Rejection) -> String {
    format!("unexpected: {rejection}")
}

/// A fault of the store.
pub(super) fn failed(error: StoreError) -> String {
    said(error.into())
}

/// What the store answered, or which parameters it refused.
pub(super) fn answered<T>(result: Result<T, Rejection>) -> Result<Result<T, Vec<String>>, String> {
    match result {
        Ok(answer) => Ok(Ok(answer)),
        Err(Rejection::Refused(refusals)) => Ok(Err(refusals
            .into_iter()
            .map(|refusal| refusal.attr)
            .collect())),
        Err(Rejection::Store(error)) => Err(failed(error)),
    }
}
