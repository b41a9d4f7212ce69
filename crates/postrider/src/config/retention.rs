//! How long what is final is kept.

use std::time::Duration;

use store::RetentionPolicy;

use super::fault::ConfigFault;
use super::gather::Gathered;
use super::parse::bounded_duration;
use super::setting::{self, Setting};

/// Shortest time that anything is kept, in seconds: what is removed at once nobody could look at.
const KEPT_SECONDS_MIN: u64 = 1;
/// Longest time, in seconds: ten years of 365 days.
const KEPT_SECONDS_MAX: u64 = 3_650 * 24 * 60 * 60;

pub(super) fn policy(gathered: &Gathered) -> Result<RetentionPolicy, ConfigFault> {
    let payloads = gathered.text(&setting::RETENTION_PAYLOADS);
    let payloads = payloads.map(|_| kept(gathered, &setting::RETENTION_PAYLOADS));
    Ok(RetentionPolicy {
        jobs: kept(gathered, &setting::RETENTION_JOBS)?,
        payloads: payloads.transpose()?,
        audit_events: kept(gathered, &setting::RETENTION_AUDIT_EVENTS)?,
        notifications: kept(gathered, &setting::RETENTION_NOTIFICATIONS)?,
    })
}

fn kept(gathered: &Gathered, setting: &'static Setting) -> Result<Duration, ConfigFault> {
    bounded_duration(gathered, setting, (KEPT_SECONDS_MIN, KEPT_SECONDS_MAX))
}
