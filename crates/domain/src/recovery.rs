//! Recoveries: work on many jobs that somebody asked for after a trouble, done in steps, at a pace.

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, RecoveryId, WebhookOutSubId};
use crate::time::Moment;

/// Jobs a second of a recovery that states no pace: a tenth of what a small machine delivers.
pub const PER_SECOND_DEFAULT: u32 = 1_000;
/// Largest pace of a recovery, in jobs a second.
pub const PER_SECOND_MAX: u32 = 10_000;

/// What a recovery does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryKind {
    /// Retries jobs.
    Retry,
    /// Makes jobs for the changes of a time, outside the ordering.
    Replay,
    /// Makes the jobs that a subscription missed, in order, before those of new changes.
    CatchUp,
    /// Makes jobs that are missing, and wakes those that sleep.
    Mend,
}

/// How far a recovery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryState {
    /// Nothing was begun: somebody wants to know what it would be.
    Preview,
    /// It goes on, also after a restart.
    Running,
    /// Somebody stopped it while its subscription catches up: it leaves what was missed before it began, and makes the jobs
    /// of the changes that came since, which wait for it.
    Canceling,
    /// All is done.
    Finished,
    /// Somebody stopped it; what it did stands.
    Canceled,
}

impl RecoveryKind {
    /// The possible values.
    pub const NAMES: [&'static str; 4] = ["retry", "replay", "catch_up", "mend"];

    /// The name, as answers and stores have it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<RecoveryKind> {
        [
            RecoveryKind::Retry,
            RecoveryKind::Replay,
            RecoveryKind::CatchUp,
            RecoveryKind::Mend,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

impl RecoveryState {
    /// The possible values.
    pub const NAMES: [&'static str; 5] =
        ["preview", "running", "canceling", "finished", "canceled"];

    /// The name, as answers and stores have it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The state of this name.
    pub fn parse(name: &str) -> Option<RecoveryState> {
        [
            RecoveryState::Preview,
            RecoveryState::Running,
            RecoveryState::Canceling,
            RecoveryState::Finished,
            RecoveryState::Canceled,
        ]
        .into_iter()
        .find(|state| state.name() == name)
    }
}

/// A recovery as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// Its identity; none for a preview.
    pub id: Option<RecoveryId>,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// What it does.
    pub kind: RecoveryKind,
    /// For which subscription, where it is for one.
    pub webhook_out_sub_id: Option<WebhookOutSubId>,
    /// How far it has come.
    pub state: RecoveryState,
    /// Its pace, in jobs a second.
    pub per_second: u32,
    /// How many jobs, or changes, there were to look at when it began; counted exactly up to 10,000.
    pub matched: u64,
    /// Whether there were more.
    pub matched_capped: bool,
    /// How many it has looked at.
    pub looked_at: u64,
    /// How many jobs it has made, or made due.
    pub made: u64,
    /// When it was asked for.
    pub created_at: Moment,
    /// When it last went on.
    pub updated_at: Moment,
    /// When it ended.
    pub finished_at: Option<Moment>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variants_agree() {
        for name in RecoveryKind::NAMES {
            assert_eq!(
                RecoveryKind::parse(name).map(RecoveryKind::name),
                Some(name)
            );
        }
        for name in RecoveryState::NAMES {
            assert_eq!(
                RecoveryState::parse(name).map(RecoveryState::name),
                Some(name)
            );
        }
        assert_eq!(RecoveryKind::parse("other"), None);
    }
}
