//! The model's rules for a change that is reported.

use std::time::Duration;

use domain::time::Moment;
use domain::webhook_job::JobState;

use super::{Answer, Job, Model, Order, Refused, Stage, Sub};
use crate::random::command::{Named, Report};

/// How long the same key is answered as the first time.
const KEY_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// All order statuses and events that the lists hold, as far as they are used here.
pub(in crate::random) const STATUSES: &[&str] =
    &["ordered", "scheduled", "completed", "canceled", "cancelled"];
pub(in crate::random) const EVENTS: &[&str] = &["order.canceled", "appointment.scheduled"];

impl Sub {
    fn wants(&self, report: &Report) -> bool {
        let holds =
            |words: &[&str], word: &str| words.iter().any(|one| *one == "*" || *one == word);
        // These two match each other.
        let stage = match report.stage {
            "cancelled" => "canceled",
            stage => stage,
        };
        let by_status = report.update_status && holds(self.statuses, stage);
        by_status || report.event.is_some_and(|event| holds(self.events, event))
    }
}

impl Model {
    /// A stage and its jobs; its place, and whether it was answered before.
    pub(in crate::random) fn report(
        &mut self,
        report: &Report,
        now: Moment,
    ) -> Result<(usize, bool), Refused> {
        if let Some(key) = report.key {
            let same = |answer: &&Answer| {
                answer.report.integration == report.integration && answer.report.key == Some(key)
            };
            let first = self.answers.iter().rev().find(same);
            if let Some(first) = first.filter(|first| first.at + KEY_KEPT > now) {
                if first.report != *report {
                    return Err(vec!["idempotency_key"]);
                }
                return Ok((first.stage, true));
            }
        }
        let order = self.order_of(report)?;
        let stage = self.add_stage(order, report, now);
        for sub in 0..self.subs.len() {
            let one = &self.subs[sub];
            if one.integration == report.integration && one.sends() && one.wants(report) {
                self.add_job(sub, stage, now);
            }
        }
        if report.key.is_some() {
            let report = report.clone();
            self.answers.push(Answer {
                report,
                stage,
                at: now,
            });
        }
        Ok((stage, false))
    }

    /// The order that is reported on, if there is one and nothing is refused.
    fn order_of(&self, report: &Report) -> Result<Option<usize>, Refused> {
        let mut refused = Vec::new();
        let (found, attr) = match report.order {
            Named::External(external_id) => {
                let found = self.orders.iter().position(|order| {
                    order.integration == report.integration && order.external_id == external_id
                });
                (found, "external_order_id")
            }
            Named::Place(place) => {
                let is_here = self.orders[place].integration == report.integration;
                (is_here.then_some(place), "order_id")
            }
        };
        if found.is_none() && !report.create_order {
            refused.push(attr);
        }
        if !STATUSES.contains(&report.stage) {
            refused.push("stage");
        }
        if report.event.is_some_and(|event| !EVENTS.contains(&event)) {
            refused.push("event_slug");
        }
        if refused.is_empty() {
            Ok(found)
        } else {
            Err(refused)
        }
    }

    fn add_stage(&mut self, order: Option<usize>, report: &Report, now: Moment) -> usize {
        let place = order.unwrap_or(self.orders.len());
        match (order, report.order) {
            (Some(order), _) => {
                let order = &mut self.orders[order];
                order.sequence += 1;
                if report.update_status {
                    order.status = report.stage;
                }
            }
            (None, Named::External(external_id)) => self.orders.push(Order {
                integration: report.integration,
                external_id,
                status: report.stage,
                sequence: 1,
            }),
            (None, Named::Place(_)) => {}
        }
        self.stages.push(Stage {
            order: place,
            sequence: self.orders[place].sequence,
            stage: report.stage,
            event: report.event,
            at: now,
        });
        self.stages.len() - 1
    }

    fn add_job(&mut self, sub: usize, stage: usize, now: Moment) {
        let order = Some(self.stages[stage].order);
        if self.subs[sub].supersede {
            for place in 0..self.jobs.len() {
                let job = &mut self.jobs[place];
                if job.sub == sub && job.order == order && job.waits() && !job.in_flight {
                    job.end(JobState::Superseded, now);
                    self.ready.retain(|ready| *ready != place);
                }
            }
        }
        self.jobs.push(Job::new(sub, Some(stage), order, now));
        self.release_and_tell(now);
    }
}
