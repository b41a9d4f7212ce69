//! When a failed delivery is attempted again, and when it is given up.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::Moment;

/// The steps of a policy that states none, in seconds; the last one repeats.
const SCHEDULE_SECONDS: &[u64] = &[
    5, 30, 120, 360, 360, 360, 360, 360, 360, 720, 1_440, 2_880, 3_600,
];
/// How long a policy that states nothing keeps trying, in seconds: 3 days.
const GIVE_UP_SECONDS: u64 = 3 * 24 * 60 * 60;
/// Most steps of a schedule: more than anybody can reason about.
const STEPS_MAX: usize = 50;
/// Shortest and longest step, and shortest and longest time of trying, in milliseconds.
const STEP_MILLISECONDS: std::ops::RangeInclusive<u128> = 100..=24 * 60 * 60 * 1_000;
const GIVE_UP_MILLISECONDS: std::ops::RangeInclusive<u128> = 1_000..=30 * 24 * 60 * 60 * 1_000;
/// Each step is lengthened or shortened by up to this share, so that what failed together does not come
/// back together.
const JITTER_SHARE: f64 = 0.1;
/// Longest delay that a receiver can ask for, in seconds.
pub const RETRY_AFTER_SECONDS_MAX: u64 = 24 * 60 * 60;

/// The back-off of deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    schedule: Vec<Duration>,
    give_up_after: Duration,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt.
    At(Moment),
    /// Nothing more.
    GiveUp,
}

/// Why a text is no schedule or duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetryFault {
    /// Not a whole number with a unit.
    #[error("`{0}` is no duration; write a whole number and ms, s, m, h or d, such as 30s")]
    NotADuration(String),
    /// Outside the bounds of a step.
    #[error("a step of a schedule lasts from 100ms to 24h, and `{0}` does not")]
    Step(String),
    /// Too many steps.
    #[error("a schedule has at most {STEPS_MAX} steps; the last one repeats by itself")]
    TooManySteps,
    /// Outside the bounds of a time of trying.
    #[error("giving up after less than 1s or more than 30d is not possible")]
    GiveUp,
}

impl RetryPolicy {
    /// A policy of this schedule (its last step repeats) and time of trying.
    ///
    /// # Errors
    /// [`RetryFault`] where a bound is passed.
    pub fn new(
        schedule: Vec<Duration>,
        give_up_after: Duration,
    ) -> Result<RetryPolicy, RetryFault> {
        if schedule.len() > STEPS_MAX {
            return Err(RetryFault::TooManySteps);
        }
        let bad_step = schedule
            .iter()
            .find(|step| !STEP_MILLISECONDS.contains(&step.as_millis()));
        if let Some(step) = bad_step {
            return Err(RetryFault::Step(write_duration(*step)));
        }
        if schedule.is_empty() {
            return Err(RetryFault::NotADuration(String::new()));
        }
        if !GIVE_UP_MILLISECONDS.contains(&give_up_after.as_millis()) {
            return Err(RetryFault::GiveUp);
        }
        Ok(RetryPolicy {
            schedule,
            give_up_after,
        })
    }

    /// The steps; the last one repeats.
    pub fn schedule(&self) -> &[Duration] {
        &self.schedule
    }

    /// How long deliveries are attempted, counted from the first attempt.
    pub fn give_up_after(&self) -> Duration {
        self.give_up_after
    }

    /// What follows the `failures`th failure (from 1).
    ///
    /// `active_age` is how long ago the first attempt was, without the time that the lane rested. `retry_after`
    /// is what the receiver asked for, and can only delay. `jitter` is a number of chance, from 0 up to 1.
    /// The last attempt is the first one that fails at `give_up_after` or later.
    pub fn next(
        &self,
        failures: u32,
        now: Moment,
        active_age: Duration,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Next {
        if active_age >= self.give_up_after {
            return Next::GiveUp;
        }
        let step = self.step(failures).mul_f64(spread(jitter));
        let asked = retry_after
            .unwrap_or_default()
            .min(Duration::from_secs(RETRY_AFTER_SECONDS_MAX));
        Next::At(now + step.max(asked))
    }

    fn step(&self, failures: u32) -> Duration {
        let index = usize::try_from(failures.max(1) - 1).unwrap_or(usize::MAX);
        let last = self.schedule.last().copied().unwrap_or_default();
        self.schedule.get(index).copied().unwrap_or(last)
    }
}

/// From 0.9 up to 1.1.
fn spread(jitter: f64) -> f64 {
    1.0 + JITTER_SHARE * (2.0 * jitter.clamp(0.0, 1.0) - 1.0)
}

/// As subscriptions have it: `{"schedule": ["5s", "30s"], "give_up_after": "3d"}`.
#[derive(Serialize, Deserialize)]
struct Written {
    schedule: Vec<String>,
    give_up_after: String,
}

impl Serialize for RetryPolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let schedule = self.schedule.iter().map(|step| write_duration(*step));
        let written = Written {
            schedule: schedule.collect(),
            give_up_after: write_duration(self.give_up_after),
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RetryPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RetryPolicy, D::Error> {
        let written = Written::deserialize(deserializer)?;
        let schedule = written.schedule.iter().map(|step| parse_duration(step));
        let schedule = schedule.collect::<Result<_, _>>();
        let policy = schedule
            .and_then(|steps| RetryPolicy::new(steps, parse_duration(&written.give_up_after)?));
        policy.map_err(serde::de::Error::custom)
    }
}

impl Default for RetryPolicy {
    fn default() -> RetryPolicy {
        RetryPolicy {
            schedule: SCHEDULE_SECONDS
                .iter()
                .map(|seconds| Duration::from_secs(*seconds))
                .collect(),
            give_up_after: Duration::from_secs(GIVE_UP_SECONDS),
        }
    }
}

/// Reads a schedule such as `5s,30s,2m`.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse_schedule(text: &str) -> Result<Vec<Duration>, RetryFault> {
    let steps = text.split(',').map(|step| {
        let duration = parse_duration(step)?;
        if STEP_MILLISECONDS.contains(&duration.as_millis()) {
            Ok(duration)
        } else {
            Err(RetryFault::Step(step.trim().to_owned()))
        }
    });
    let steps: Vec<Duration> = steps.collect::<Result<_, _>>()?;
    if steps.len() > STEPS_MAX {
        return Err(RetryFault::TooManySteps);
    }
    Ok(steps)
}

/// Reads a duration such as `30s`: a whole number and `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// [`RetryFault::NotADuration`].
pub fn parse_duration(text: &str) -> Result<Duration, RetryFault> {
    let text = text.trim();
    let fault = || RetryFault::NotADuration(text.chars().take(40).collect());
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| fault())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(fault()),
    };
    let total = number.checked_mul(milliseconds).ok_or_else(fault)?;
    Ok(Duration::from_millis(total))
}

/// Writes a duration with the largest unit that divides it.
pub fn write_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    let units = [
        ("d", 86_400_000),
        ("h", 3_600_000),
        ("m", 60_000),
        ("s", 1_000),
    ];
    for (unit, size) in units {
        if milliseconds >= size && milliseconds.is_multiple_of(size) {
            return format!("{}{unit}", milliseconds / size);
        }
    }
    format!("{milliseconds}ms")
}

/// The schedule as it is configured, such as `5s,30s,2m`.
impl fmt::Display for RetryPolicy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.schedule.iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(out, "{separator}{}", write_duration(*step))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
