//! Whether a change has exactly the jobs that it should have, and what mends gaps.

use std::collections::BTreeMap;

use domain::gap::{Gap, GapKind};
use domain::id::{IntegrationId, OrderStageId, WebhookJobId, WebhookOutSubId};
use domain::match_trace::{Met, Standing, Verdict};
use domain::order::OrderStage;
use domain::recovery::PER_SECOND_MAX;

use crate::page::Count;
use crate::recoveries::{NewRecovery, RecoveryWork};
use crate::verify::Verified;

/// Gaps that one recovery mends: it does so in one step.
const GAPS_PER_RECOVERY_MAX: usize = 500;

/// A job of a stage, and no repetition of one.
#[derive(Clone, Copy, Debug)]
pub struct MadeJob {
    /// Which.
    pub id: WebhookJobId,
    /// For whom.
    pub sub: WebhookOutSubId,
    /// Whether it was made with the stage, and not by a recovery.
    pub with_stage: bool,
}

/// Judges the jobs of a stage, by id, against what it met.
pub fn judge_stage(
    stage: &OrderStage,
    met: Vec<Met>,
    jobs: Vec<MadeJob>,
    verified: &mut Verified<OrderStageId>,
) {
    let mut made: BTreeMap<WebhookOutSubId, Vec<MadeJob>> = BTreeMap::new();
    for job in jobs {
        made.entry(job.sub).or_default().push(job);
    }
    let mut gaps = Gaps { stage, verified };
    for met in met {
        let sub = met.webhook_out_sub_id;
        let made = made.remove(&sub).unwrap_or_default();
        let is_wanted = met.verdict() == Verdict::Matched;
        if !is_wanted {
            gaps.unexpected(&made);
        } else if made.is_empty() && met.standing == Standing::CatchingUp {
            // Made in its turn, by what the subscription wants then.
            gaps.verified.not_judged += 1;
        } else if made.is_empty() {
            gaps.add(GapKind::MissingJob, sub, None);
        }
        // A replay may have made more.
        for job in made.iter().filter(|job| job.with_stage).skip(1) {
            gaps.add(GapKind::RepeatedJob, sub, Some(job.id));
        }
    }
    // Of subscriptions that were not there.
    for made in made.into_values() {
        gaps.unexpected(&made);
    }
}

/// What is wrong with a stage, as it is found.
struct Gaps<'a> {
    stage: &'a OrderStage,
    verified: &'a mut Verified<OrderStageId>,
}

impl Gaps<'_> {
    fn add(&mut self, kind: GapKind, sub: WebhookOutSubId, job: Option<WebhookJobId>) {
        self.verified.gaps.push(Gap {
            kind,
            integration_id: self.stage.integration_id,
            webhook_out_sub_id: sub,
            order_stage_id: Some(self.stage.id),
            webhook_job_id: job,
            earlier_job_id: None,
        });
    }

    fn unexpected(&mut self, made: &[MadeJob]) {
        for job in made.iter().filter(|job| job.with_stage) {
            self.add(GapKind::UnexpectedJob, job.sub, Some(job.id));
        }
    }
}

/// The recoveries that mend gaps, as far as that does no harm, and how much each has to do.
pub fn recoveries(gaps: &[Gap]) -> Vec<(NewRecovery, Count)> {
    let mut by_integration: BTreeMap<IntegrationId, Vec<&Gap>> = BTreeMap::new();
    for gap in gaps.iter().filter(|gap| gap.kind.is_mendable()) {
        let gaps = by_integration.entry(gap.integration_id).or_default();
        gaps.push(gap);
    }
    let mut recoveries = Vec::new();
    for (integration_id, gaps) in by_integration {
        for piece in gaps.chunks(GAPS_PER_RECOVERY_MAX) {
            let new = NewRecovery {
                integration_id,
                work: work(piece),
                per_second: PER_SECOND_MAX,
                idempotency: None,
            };
            let matched = Count {
                count: piece.len() as u64,
                capped: false,
            };
            recoveries.push((new, matched));
        }
    }
    recoveries
}

fn work(gaps: &[&Gap]) -> RecoveryWork {
    let of = |kind| gaps.iter().filter(move |gap| gap.kind == kind);
    let missing = of(GapKind::MissingJob);
    RecoveryWork::Mend {
        missing: missing
            .filter_map(|gap| Some((gap.order_stage_id?, gap.webhook_out_sub_id)))
            .collect(),
        sleeping: of(GapKind::SleepingJob)
            .filter_map(|gap| gap.webhook_job_id)
            .collect(),
    }
}
