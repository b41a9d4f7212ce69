//! When people are mailed about a callback: not at each failure, and not at each recovery.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Moment;

/// The failure of a job that is told: by then the default schedule has tried for three quarters of an hour.
pub const FAILURES_TO_TELL: u32 = 10;
/// Between two mails that a subscription's callback keeps failing, in seconds: 6 hours. What fails in between is counted.
pub const KEEPS_FAILING_SECONDS_MIN: u64 = 6 * 60 * 60;
/// Between two mails that a callback works again though nobody was told of a trouble, in seconds: an endpoint that
/// comes and goes all day shall not fill anybody's mailbox.
pub const RECOVERED_SECONDS_MIN: u64 = 60 * 60;

/// Whether a job's failure is one to tell: its tenth, or its last if that comes earlier.
pub const fn is_to_tell(failures: u32, exhausted: bool) -> bool {
    failures == FAILURES_TO_TELL || (exhausted && failures < FAILURES_TO_TELL)
}

/// What the people of a subscription were told, as it is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TroubleMails {
    /// When they were told last that it keeps failing.
    pub failing_told_at: Option<Moment>,
    /// Jobs to tell since then, which only count.
    pub jobs_untold: u32,
    /// When they were told last that it works again.
    pub recovered_told_at: Option<Moment>,
    /// Whether the last that they were told is a trouble.
    pub in_trouble: bool,
}

impl TroubleMails {
    /// A job failed in a way that is to be told. How many jobs the mail speaks of, if one is due now.
    pub fn keeps_failing(&mut self, now: Moment) -> Option<u32> {
        self.jobs_untold = self.jobs_untold.saturating_add(1);
        if is_within(self.failing_told_at, KEEPS_FAILING_SECONDS_MIN, now) {
            return None;
        }
        self.failing_told_at = Some(now);
        self.in_trouble = true;
        Some(std::mem::take(&mut self.jobs_untold))
    }

    /// It was switched off, which is always told.
    pub fn switched_off(&mut self) {
        self.in_trouble = true;
    }

    /// It works again after a real trouble. Whether that is told now: always to those who know of the trouble.
    pub fn recovered(&mut self, now: Moment) -> bool {
        let is_told =
            self.in_trouble || !is_within(self.recovered_told_at, RECOVERED_SECONDS_MIN, now);
        if is_told {
            self.in_trouble = false;
            self.recovered_told_at = Some(now);
        }
        is_told
    }
}

/// Whether it was told lately. Looks both ways: a clock that was wrong for a while must not silence anybody for years.
fn is_within(told_at: Option<Moment>, seconds: u64, now: Moment) -> bool {
    let window = Duration::from_secs(seconds);
    told_at.is_some_and(|told_at| now.since(told_at) < window && told_at.since(now) < window)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: u64) -> Moment {
        Moment::from_microseconds(1_750_000_000_000_000) + Duration::from_secs(hours * 3_600)
    }

    #[test]
    fn the_tenth_failure_is_told_and_an_earlier_last_one() {
        let cases = [
            (1, false, false),
            (9, false, false),
            (9, true, true),
            (10, false, true),
            (10, true, true),
            (11, false, false),
            (70, true, false),
        ];
        for (failures, exhausted, told) in cases {
            assert_eq!(
                is_to_tell(failures, exhausted),
                told,
                "{failures} {exhausted}"
            );
        }
    }

    #[test]
    fn within_six_hours_jobs_only_count_and_the_next_mail_says_how_many() {
        let mut mails = TroubleMails::default();
        let cases = [
            (0, Some(1)),
            (0, None),
            (5, None),
            (6, Some(3)),
            (11, None),
            (12, Some(2)),
            (24, Some(1)),
        ];
        for (hours, jobs) in cases {
            assert_eq!(mails.keeps_failing(at(hours)), jobs, "after {hours} hours");
        }
    }

    #[test]
    fn a_clock_that_was_wrong_silences_nobody_for_long() {
        let mut mails = TroubleMails::default();
        assert_eq!(mails.keeps_failing(at(10_000)), Some(1));
        assert_eq!(mails.keeps_failing(at(9_999)), None);
        assert_eq!(mails.keeps_failing(at(0)), Some(2));
    }

    #[test]
    fn a_recovery_is_told_to_those_who_know_of_the_trouble_and_else_once_an_hour() {
        let mut mails = TroubleMails::default();
        assert!(mails.recovered(at(0)), "the first rest");
        assert!(!mails.recovered(at(0)), "comes and goes");
        mails.keeps_failing(at(0));
        assert!(mails.recovered(at(0)));
        mails.switched_off();
        assert!(mails.recovered(at(0)));
        assert!(!mails.recovered(at(0)));
        assert!(mails.recovered(at(1)));
    }
}
