//! Why a change made a job for a subscription, or did not: told for every subscription of its integration.

use serde::Serialize;

use crate::health::OffReason;
use crate::id::{WebhookJobId, WebhookOutSubId};
use crate::matching::Match;
use crate::webhook_job::JobState;

/// How a subscription stood when a change was matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Changes make jobs.
    Active,
    /// It was enabled, and the jobs that it missed are being made; those of new changes follow in their turn.
    CatchingUp,
    /// Switched off by hand.
    Inactive,
    /// Switched off by Postrider.
    Off(OffReason),
    /// Deleted: of no interest any more.
    Deleted,
}

impl Standing {
    /// Whether a change that it wants makes a job, now or in its turn.
    pub const fn takes_jobs(self) -> bool {
        matches!(self, Standing::Active | Standing::CatchingUp)
    }

    /// The name that stores keep.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Active => "active",
            Standing::CatchingUp => "catching_up",
            Standing::Inactive => "inactive",
            Standing::Off(OffReason::Gone) => "off_gone",
            Standing::Off(OffReason::FailingForDays) => "off_failing_for_days",
            Standing::Deleted => "deleted",
        }
    }

    /// The standing of this name.
    pub fn parse(name: &str) -> Option<Standing> {
        [
            Standing::Active,
            Standing::CatchingUp,
            Standing::Inactive,
            Standing::Off(OffReason::Gone),
            Standing::Off(OffReason::FailingForDays),
            Standing::Deleted,
        ]
        .into_iter()
        .find(|standing| standing.name() == name)
    }
}

/// What a subscription's filter said of a change that its words matched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filtering {
    /// There is none, or it holds.
    Passed,
    /// It does not hold.
    Stopped,
    /// It could not be decided, for this reason; the change passed.
    Failed(String),
}

/// What came of a change for a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It made a job, or will in its turn.
    Matched,
    /// Neither status nor event is wanted.
    NotMatched,
    /// The filter does not hold.
    Filtered,
    /// The subscription was switched off by hand.
    Inactive,
    /// The subscription was switched off by Postrider.
    Off,
}

impl Verdict {
    /// The possible values.
    pub const NAMES: [&'static str; 5] = ["matched", "not_matched", "filtered", "inactive", "off"];
}

/// The job that a change made for a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedJob {
    /// Which.
    pub id: WebhookJobId,
    /// How far it has come.
    pub state: JobState,
}

/// One subscription's part of the trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Traced {
    /// Which subscription.
    pub webhook_out_sub_id: WebhookOutSubId,
    /// Its key, as it is now.
    pub key: String,
    /// What came of the change.
    pub verdict: Verdict,
    /// What of the change it wants; none if nothing.
    pub matched_by: Option<&'static str>,
    /// The job that was made.
    pub webhook_job_id: Option<WebhookJobId>,
    /// How far that has come.
    pub webhook_job_state: Option<JobState>,
    /// All of that in words.
    pub message: String,
}

/// What a change meets in a subscription.
#[derive(Clone, Debug)]
pub struct Met {
    /// Which subscription.
    pub webhook_out_sub_id: WebhookOutSubId,
    /// Its key, as it is now.
    pub key: String,
    /// How it stood.
    pub standing: Standing,
    /// What of the change it wants.
    pub matched: Match,
    /// What its filter said.
    pub filtering: Filtering,
}

impl Met {
    /// What comes of the change.
    pub fn verdict(&self) -> Verdict {
        match self.standing {
            Standing::Inactive | Standing::Deleted => Verdict::Inactive,
            Standing::Off(_) => Verdict::Off,
            Standing::Active | Standing::CatchingUp => match (self.matched, &self.filtering) {
                (Match::Neither, _) => Verdict::NotMatched,
                (_, Filtering::Stopped) => Verdict::Filtered,
                (_, Filtering::Passed | Filtering::Failed(_)) => Verdict::Matched,
            },
        }
    }

    /// The part of the trace, with the job that was made.
    pub fn traced(self, job: Option<TracedJob>) -> Traced {
        let verdict = self.verdict();
        Traced {
            verdict,
            matched_by: self.matched.name(),
            webhook_job_id: job.map(|job| job.id),
            webhook_job_state: job.map(|job| job.state),
            message: self.message(verdict, job),
            webhook_out_sub_id: self.webhook_out_sub_id,
            key: self.key,
        }
    }

    fn message(&self, verdict: Verdict, job: Option<TracedJob>) -> String {
        let words = self.words();
        let mut message = match (verdict, self.standing) {
            (Verdict::Matched, Standing::CatchingUp) => {
                format!("{words}; its job is made in its turn, since the subscription catches up")
            }
            (Verdict::Matched | Verdict::NotMatched, _) => words.to_owned(),
            (Verdict::Filtered, _) => {
                format!("{words}, but its filter does not hold for the order")
            }
            (Verdict::Inactive, _) => format!("it is not active; {words}"),
            (Verdict::Off, Standing::Off(OffReason::Gone)) => {
                format!("it is off, since its receiver answered 410; {words}")
            }
            (Verdict::Off, _) => format!("it is off, since nothing succeeded for days; {words}"),
        };
        if let Filtering::Failed(reason) = &self.filtering {
            message.push_str("; its filter could not be decided, so the change passed: ");
            message.push_str(reason);
        }
        if job.is_some_and(|job| job.state == JobState::Superseded) {
            message.push_str("; its job was replaced by a newer one of the order");
        }
        message
    }

    fn words(&self) -> &'static str {
        match self.matched {
            Match::Status => "its statuses hold the stage",
            Match::Event => "its events hold the event",
            Match::Both => "its statuses hold the stage, and its events the event",
            Match::Neither => "neither its statuses hold the stage, nor its events the event",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(standing: Standing, matched: Match, filtering: Filtering) -> Met {
        Met {
            webhook_out_sub_id: WebhookOutSubId(1),
            key: "crm".to_owned(),
            standing,
            matched,
            filtering,
        }
    }

    #[test]
    fn standings_keep_their_names() {
        for name in [
            "active",
            "catching_up",
            "inactive",
            "off_gone",
            "off_failing_for_days",
            "deleted",
        ] {
            assert_eq!(Standing::parse(name).map(Standing::name), Some(name));
        }
        assert_eq!(Standing::parse("off"), None);
    }

    #[test]
    fn only_one_that_stands_wants_and_lets_pass_takes_a_job() {
        let failed = Filtering::Failed("line 1".to_owned());
        let off = Standing::Off(OffReason::Gone);
        let cases = [
            (
                Standing::Active,
                Match::Status,
                Filtering::Passed,
                Verdict::Matched,
            ),
            (
                Standing::CatchingUp,
                Match::Both,
                Filtering::Passed,
                Verdict::Matched,
            ),
            (Standing::Active, Match::Event, failed, Verdict::Matched),
            (
                Standing::Active,
                Match::Event,
                Filtering::Stopped,
                Verdict::Filtered,
            ),
            (
                Standing::Active,
                Match::Neither,
                Filtering::Stopped,
                Verdict::NotMatched,
            ),
            (
                Standing::Inactive,
                Match::Both,
                Filtering::Passed,
                Verdict::Inactive,
            ),
            (off, Match::Neither, Filtering::Passed, Verdict::Off),
        ];
        for (standing, matched, filtering, expected) in cases {
            let met = met(standing, matched, filtering);
            assert_eq!(met.verdict(), expected, "{met:?}");
            assert_eq!(met.traced(None).verdict, expected);
        }
    }

    #[test]
    fn the_words_say_what_came_of_it() {
        let job = TracedJob {
            id: WebhookJobId(3),
            state: JobState::Superseded,
        };
        let failed = Filtering::Failed("line 1".to_owned());
        let traced = met(Standing::Active, Match::Status, failed).traced(Some(job));
        assert_eq!(
            traced.message,
            "its statuses hold the stage; its filter could not be decided, so the change passed: line 1; its \
             job was replaced by a newer one of the order"
        );
        assert_eq!(traced.matched_by, Some("status"));
        let off = Standing::Off(OffReason::FailingForDays);
        let traced = met(off, Match::Neither, Filtering::Passed).traced(None);
        assert_eq!(
            traced.message,
            "it is off, since nothing succeeded for days; neither its statuses hold the stage, nor its events \
             the event"
        );
        assert_eq!((traced.matched_by, traced.webhook_job_id), (None, None));
    }
}
