//! What an attempt leads to: for its job, and for the health of its lane.

use std::time::Duration;

use domain::health::HealthChange;
use domain::retry::{Next, RetryPolicy};
use domain::time::Moment;
use domain::verdict::{self, JOB_FAULTS_TO_PASS};
use domain::webhook_job::AttemptOutcome;
use rand::RngExt;
use rand::rngs::StdRng;
use store::{NextStep, Outcome, ReadyJob};

use crate::judge::Judged;
use crate::lane::{Lane, Standing, Start};
use crate::memory::Memory;

/// The rules of all lanes, and the chance that they draw on.
pub(crate) struct Rules {
    pub(crate) retry: RetryPolicy,
    pub(crate) chance: StdRng,
}

impl Lane {
    /// Judges a job by its attempt, frees its place in flight, and says what is to be recorded.
    pub(crate) fn settle(
        &mut self,
        start: &Start,
        judged: Judged,
        rules: &mut Rules,
        memory: &mut Memory,
        now: Moment,
    ) -> Outcome {
        let job = &start.job;
        let first_attempt_clock = job
            .first_attempt_clock
            .unwrap_or_else(|| self.health.active_clock(judged.attempt.started_at));
        let active_age = self.active_age(first_attempt_clock, now);
        self.in_flight -= 1;
        self.backlog.attempted(job.id);
        let is_paused = self.pause(&judged, now);
        let change = self.learn(job, &judged, memory, now);
        let is_refusal = judged.attempt.outcome == AttemptOutcome::JobFault && !judged.is_ours;
        let job_faults = job.job_faults + u32::from(is_refusal);
        let policy = start.sub.retry_policy.as_ref();
        let next = next_step(rules, policy, &judged, job_faults, active_age, now);
        Outcome {
            job_id: job.id,
            webhook_out_sub_id: job.webhook_out_sub_id,
            fence: start.fence,
            attempt: judged.attempt,
            next,
            job_faults,
            first_attempt_clock,
            lane: (is_paused || change != HealthChange::None).then(|| self.health.record().clone()),
        }
    }

    /// How long ago the first attempt was, by the clock that stands still while the lane does.
    fn active_age(&self, first_attempt_clock: i64, now: Moment) -> Duration {
        let age = self.health.active_clock(now) - first_attempt_clock;
        u64::try_from(age).map_or(Duration::ZERO, Duration::from_micros)
    }

    /// Where the receiver asks to be left alone, all jobs wait. Returns whether that is to be kept.
    fn pause(&mut self, judged: &Judged, now: Moment) -> bool {
        let speaks = verdict::asks_all_to_wait(judged.attempt.status_code);
        let delay = judged.retry_after.filter(|_| speaks);
        delay.is_some_and(|delay| self.health.asked_to_pause(delay, now))
    }

    /// What the attempt says of the endpoint.
    fn learn(
        &mut self,
        job: &ReadyJob,
        judged: &Judged,
        memory: &mut Memory,
        now: Moment,
    ) -> HealthChange {
        if judged.is_ours {
            return HealthChange::None;
        }
        let stood = self.standing();
        let change = match judged.attempt.outcome {
            AttemptOutcome::Delivered => {
                self.window.succeeded(now);
                self.health.succeeded(now)
            }
            outcome => {
                if outcome != AttemptOutcome::JobFault {
                    self.window.failed(now);
                }
                self.health.failed(outcome, job.order_id, now)
            }
        };
        let stands = self.standing();
        if stands != stood {
            // What waited here is not what comes next: a probe, nothing, or the backlog by due time.
            self.backlog.drop_queue(memory);
            tell(self, stands);
        }
        change
    }
}

fn next_step(
    rules: &mut Rules,
    own_policy: Option<&RetryPolicy>,
    judged: &Judged,
    job_faults: u32,
    active_age: Duration,
    now: Moment,
) -> NextStep {
    if judged.attempt.outcome == AttemptOutcome::Delivered {
        return NextStep::Delivered;
    }
    // Every attempt before this one failed, or there would be no attempt.
    let failures = judged.attempt.number;
    let jitter = rules.chance.random::<f64>();
    let policy = own_policy.unwrap_or(&rules.retry);
    let next = policy.next(failures, now, active_age, judged.retry_after, jitter);
    match next {
        Next::At(at) => NextStep::Retry {
            at,
            passed: job_faults >= JOB_FAULTS_TO_PASS,
        },
        Next::GiveUp => NextStep::Exhausted,
    }
}

fn tell(lane: &Lane, standing: Standing) {
    let webhook_out_sub_id = lane.id().0;
    match standing {
        Standing::Sends => tracing::info!(webhook_out_sub_id, "the endpoint works again"),
        Standing::Probes => {
            tracing::warn!(
                webhook_out_sub_id,
                "the endpoint keeps failing; its lane rests"
            );
        }
        Standing::Stands => {
            let reason = lane.health.record().reason;
            tracing::warn!(webhook_out_sub_id, ?reason, "the lane is off");
        }
    }
}
