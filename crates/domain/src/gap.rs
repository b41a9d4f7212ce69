//! Gaps: what should not be in a store, as `postrider verify` tells it.

use std::fmt;

use serde::Serialize;

use crate::id::{IntegrationId, OrderStageId, WebhookJobId, WebhookOutSubId};

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapKind {
    /// A change that a subscription wanted made no job for it.
    MissingJob,
    /// A change made a job for a subscription that did not want it.
    UnexpectedJob,
    /// A change made more than one job for a subscription.
    RepeatedJob,
    /// A job waits for nothing, and will never be sent.
    SleepingJob,
    /// A job's state contradicts its times.
    ContradictoryJob,
    /// A job was attempted while an earlier one of its order was under way or waited.
    OutOfSequence,
}

impl GapKind {
    /// Whether it can be mended without doing harm.
    pub const fn is_mendable(self) -> bool {
        matches!(self, GapKind::MissingJob | GapKind::SleepingJob)
    }

    /// The name, as it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            GapKind::MissingJob => "missing_job",
            GapKind::UnexpectedJob => "unexpected_job",
            GapKind::RepeatedJob => "repeated_job",
            GapKind::SleepingJob => "sleeping_job",
            GapKind::ContradictoryJob => "contradictory_job",
            GapKind::OutOfSequence => "out_of_sequence",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What.
    pub kind: GapKind,
    /// Whose.
    pub integration_id: IntegrationId,
    /// For which subscription.
    pub webhook_out_sub_id: WebhookOutSubId,
    /// Of which change, where it is known.
    pub order_stage_id: Option<OrderStageId>,
    /// Which job, where there is one.
    pub webhook_job_id: Option<WebhookJobId>,
    /// The earlier job that this one did not wait for.
    pub earlier_job_id: Option<WebhookJobId>,
}

/// One line for people: the kind, and the records by which to look further.
impl fmt::Display for Gap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, integration, sub) = (
            self.kind.name(),
            self.integration_id,
            self.webhook_out_sub_id,
        );
        write!(
            out,
            "{kind} integration_id={integration} webhook_out_sub_id={sub}"
        )?;
        let stage = self.order_stage_id.map(|id| id.0);
        let job = self.webhook_job_id.map(|id| id.0);
        let earlier = self.earlier_job_id.map(|id| id.0);
        for (name, id) in [
            ("order_stage_id", stage),
            ("webhook_job_id", job),
            ("earlier_job_id", earlier),
        ] {
            if let Some(id) = id {
                write!(out, " {name}={id}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_names_its_records() {
        let gap = Gap {
            kind: GapKind::OutOfSequence,
            integration_id: IntegrationId(1),
            webhook_out_sub_id: WebhookOutSubId(2),
            order_stage_id: None,
            webhook_job_id: Some(WebhookJobId(4)),
            earlier_job_id: Some(WebhookJobId(3)),
        };
        assert_eq!(
            gap.to_string(),
            "out_of_sequence integration_id=1 webhook_out_sub_id=2 webhook_job_id=4 earlier_job_id=3"
        );
        assert!(!gap.kind.is_mendable());
    }
}
