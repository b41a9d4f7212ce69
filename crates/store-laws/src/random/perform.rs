//! A command is carried out on both sides, and the answers are compared.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use domain::health::{HealthState, LaneRecord, OffReason};
use domain::id::WebhookJobId;
use domain::order::{AcceptedStage, JobReceipt};
use domain::webhook_job::WebhookJob;
use store::{
    Created, Idempotency, NewOrderStage, NextStep, OrderRef, Outcome, Rejection,
    WebhookOutSubChanges,
};

use super::command::{Command, Named, Next, Report, Update};
use super::model::Refused;
use super::run::{Run, answered, failed};
use super::{Checked, same};
use crate::{Working, new_stage};

impl<S: Working> Run<'_, S> {
    /// Carries a command out.
    pub(super) async fn perform(&mut self, command: &Command) -> Checked {
        let store = &self.world.store;
        self.model.ready.clear();
        match command {
            Command::Wait(seconds) => {
                self.now = self.now + Duration::from_secs(*seconds);
                Ok(())
            }
            Command::Report(reports) => self.report(reports).await,
            Command::Start(job) => {
                self.model.jobs[*job].in_flight = true;
                self.world.told.fly(self.jobs[*job]);
                Ok(())
            }
            Command::Record(outcomes) => self.record(outcomes).await,
            Command::Cancel { integration, job } => {
                let (scope, id) = (self.integrations[*integration], self.jobs[*job]);
                let stored = store.cancel_webhook_job(scope, id, self.change()).await;
                let expected = self.model.cancel(*integration, *job, self.now);
                self.same_job(stored, expected.map(|()| *job))
            }
            Command::Retry { integration, job } => {
                let (scope, id) = (self.integrations[*integration], self.jobs[*job]);
                let stored = store
                    .retry_webhook_job(scope, id, false, self.change())
                    .await;
                let expected = self.model.retry(*integration, *job, self.now);
                self.same_job(stored, expected)
            }
            Command::Test(sub) => {
                let scope = self.integrations[self.model.subs[*sub].integration];
                let stored = store.send_test(scope, self.subs[*sub], self.change()).await;
                let expected = self.model.test(*sub, self.now);
                self.same_job(stored, expected)
            }
            Command::Update(sub, update) => self.update(*sub, *update).await,
            Command::Delete(sub) => self.delete(*sub).await,
        }
    }

    async fn report(&mut self, reports: &[Report]) -> Checked {
        let stages = reports.iter().map(|report| self.stage(report)).collect();
        let receipts = self.world.store.accept(stages).await;
        same("receipts", &receipts.len(), &reports.len())?;
        for (report, receipt) in reports.iter().zip(receipts) {
            let stored = answered(receipt)?;
            let expected = self.model.report(report, self.now).map_err(words);
            match (stored, expected) {
                (Ok(stored), Ok((stage, replayed))) => {
                    self.same_receipt(stored, stage, replayed)?;
                }
                (stored, expected) => {
                    same("accept refuses", &stored.map(|_| ()), &expected.map(|_| ()))?
                }
            }
        }
        Ok(())
    }

    fn stage(&self, report: &Report) -> NewOrderStage {
        let integration = self.integrations[report.integration];
        let mut hasher = DefaultHasher::new();
        report.hash(&mut hasher);
        let mut request_hash = [0; 32];
        request_hash[..8].copy_from_slice(&hasher.finish().to_le_bytes());
        NewOrderStage {
            order: match report.order {
                Named::External(id) => OrderRef::External(id.to_owned()),
                Named::Place(place) => OrderRef::Id(self.orders[place]),
            },
            create_order: report.create_order,
            event_slug: report.event.map(str::to_owned),
            update_status: report.update_status,
            idempotency: report.key.map(|key| Idempotency {
                key: key.to_owned(),
                request_hash,
            }),
            at: self.now,
            ..new_stage(integration, "", report.stage)
        }
    }

    /// Notes the ids of what is new, and compares the rest.
    fn same_receipt(
        &mut self,
        stored: Created<AcceptedStage>,
        stage: usize,
        replayed: bool,
    ) -> Checked {
        let expected = &self.model.stages[stage];
        let is_made = |job: &usize| {
            let job = &self.model.jobs[*job];
            job.stage == Some(stage) && job.retry_of.is_none()
        };
        let made: Vec<usize> = (0..self.model.jobs.len()).filter(is_made).collect();
        let record = &stored.record;
        same("jobs of the stage", &record.webhook_jobs.len(), &made.len())?;
        if stage == self.stages.len() {
            self.stages.push(record.id);
            self.jobs
                .extend(record.webhook_jobs.iter().map(|receipt| receipt.id));
            if expected.order == self.orders.len() {
                self.orders.push(record.order_id);
            }
        }
        let receipt = |job: &usize| JobReceipt {
            id: self.jobs[*job],
            webhook_out_sub_id: self.subs[self.model.jobs[*job].sub],
        };
        let expected = Created {
            record: AcceptedStage {
                id: self.stages[stage],
                order_id: self.orders[expected.order],
                stage: expected.stage.to_owned(),
                event_slug: expected.event.map(str::to_owned),
                stage_at: expected.at,
                webhook_jobs: made.iter().map(receipt).collect(),
            },
            replayed,
        };
        same("receipt", &stored, &expected)
    }

    /// The job of an answer, or the refusal; notes the id of one that is new.
    fn same_job(
        &mut self,
        stored: Result<WebhookJob, Rejection>,
        expected: Result<usize, Refused>,
    ) -> Checked {
        let stored = answered(stored)?;
        if let (Ok(job), Ok(place)) = (&stored, &expected)
            && *place == self.jobs.len()
        {
            self.jobs.push(job.id);
        }
        let stored = stored.map(|job| self.shown(&job));
        let expected = expected.map(|place| self.expected(place)).map_err(words);
        same("answer", &stored, &expected)
    }

    async fn record(&mut self, outcomes: &[(usize, Next)]) -> Checked {
        let attempts = outcomes.iter().map(|(job, next)| self.outcome(*job, *next));
        let attempts: Arc<[Outcome]> = attempts.collect();
        self.world.store.record(attempts).await.map_err(failed)?;
        for (job, next) in outcomes {
            self.world.told.land(self.jobs[*job]);
            self.model.record(*job, *next, self.now);
        }
        Ok(())
    }

    fn outcome(&self, place: usize, next: Next) -> Outcome {
        let job = &self.model.jobs[place];
        let at = |after| self.now + Duration::from_secs(after);
        let (next, lane) = match next {
            Next::Delivered => (NextStep::Delivered, None),
            Next::Exhausted => (NextStep::Exhausted, None),
            Next::Retry { after, passed } => {
                let at = at(after);
                (NextStep::Retry { at, passed }, None)
            }
            Next::Gone { after } => {
                let off = LaneRecord {
                    state: HealthState::Off,
                    since: Some(self.now),
                    reason: Some(OffReason::Gone),
                    ..LaneRecord::default()
                };
                let at = at(after);
                (NextStep::Retry { at, passed: false }, Some(off))
            }
        };
        let (sub, id): (_, WebhookJobId) = (self.subs[job.sub], self.jobs[place]);
        let mut outcome = self.world.outcome(sub, id, job.attempts + 1, next, lane);
        outcome.attempt.started_at = self.now;
        outcome
    }

    async fn update(&mut self, place: usize, update: Update) -> Checked {
        let scope = self.integrations[self.model.subs[place].integration];
        let changes = WebhookOutSubChanges {
            active: update.active,
            ordering: update.ordering,
            supersede: update.supersede,
            ..WebhookOutSubChanges::default()
        };
        let store = &self.world.store;
        let stored = store
            .update_webhook_out_sub(scope, self.subs[place], changes, self.change())
            .await;
        let expected = self.model.update(place, update, self.now);
        let expected = expected.map(|()| self.expected_sub(place));
        let stored = answered(stored)?.map(|sub| self.shown_sub(&sub));
        same("updated", &stored, &expected.map_err(words))
    }

    async fn delete(&mut self, place: usize) -> Checked {
        let scope = self.integrations[self.model.subs[place].integration];
        let store = &self.world.store;
        let stored = store
            .delete_webhook_out_sub(scope, self.subs[place], self.change())
            .await;
        let expected = self.model.delete(place, self.now);
        for (id, job) in self.jobs.iter().zip(&self.model.jobs) {
            if job.sub == place {
                self.world.told.land(*id);
            }
        }
        let stored = answered(stored)?.map(|_| ());
        same("deleted", &stored, &expected.map_err(words))
    }
}

fn words(refused: Refused) -> Vec<String> {
    refused.into_iter().map(str::to_owned).collect()
}
