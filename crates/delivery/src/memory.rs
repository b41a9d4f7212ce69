//! How much the queues of all lanes hold together.

use store::ReadyJob;

/// Most jobs in the queues of all lanes: what a quarter of a second of full speed may need; beyond that
/// the store is asked in time.
pub const MEMORY_JOBS_MAX: usize = 6_000;
/// Most payload bytes in the queues of all lanes; a payload that several jobs share counts for each.
pub const MEMORY_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// What the queues hold. Beyond the bounds each lane may still queue a few jobs,
/// so that slow lanes which fill the memory do not stop the others.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    jobs: usize,
    bytes: usize,
}

impl Memory {
    pub(crate) fn is_full(&self) -> bool {
        self.jobs >= MEMORY_JOBS_MAX || self.bytes >= MEMORY_BYTES_MAX
    }

    pub(crate) fn add(&mut self, job: &ReadyJob) {
        self.jobs += 1;
        self.bytes += job.payload.len();
    }

    pub(crate) fn remove(&mut self, job: &ReadyJob) {
        self.jobs -= 1;
        self.bytes -= job.payload.len();
    }

    pub(crate) fn jobs(&self) -> usize {
        self.jobs
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}
