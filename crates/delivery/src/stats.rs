//! How things are at one moment, for metrics.

use domain::health::HealthState;

/// How an engine is at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Lanes that send, or would if their subscription were active.
    pub lanes_healthy: usize,
    /// Lanes that probe.
    pub lanes_resting: usize,
    /// Lanes that are off.
    pub lanes_off: usize,
    /// Requests under way.
    pub in_flight: usize,
    /// Jobs in the queues of all lanes.
    pub queued: usize,
    /// Their payloads, in bytes.
    pub queued_bytes: usize,
    /// Attempts whose outcome is not committed yet.
    pub unrecorded: usize,
}

impl Stats {
    pub(crate) fn count(&mut self, state: HealthState) {
        match state {
            HealthState::Healthy => self.lanes_healthy += 1,
            HealthState::Resting => self.lanes_resting += 1,
            HealthState::Off => self.lanes_off += 1,
        }
    }
}
