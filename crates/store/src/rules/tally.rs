//! How many jobs a transaction made, ended and so on: counted once it is committed, and forgotten if it is not.

use domain::webhook_job::JobState;
use metrics::counter;

/// How many jobs came into each state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally([u64; JobState::ALL.len()]);

impl Tally {
    /// Notes so many jobs that came into this state.
    pub fn add(&mut self, state: JobState, jobs: usize) {
        self.0[state as usize] += jobs as u64;
    }

    /// Counts them, and begins anew.
    pub fn count(&mut self) {
        for (state, jobs) in JobState::ALL.into_iter().zip(std::mem::take(&mut self.0)) {
            if jobs > 0 {
                counter!("postrider_jobs_total", "state" => state.name()).increment(jobs);
            }
        }
    }
}
