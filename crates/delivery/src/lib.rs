//! The delivery engine: takes jobs, sends them, judges the answers, has the outcomes recorded.
//!
//! All decisions are made by one state machine, `dispatch`, which does no I/O, knows no clock and draws
//! no chance of its own; it lives behind one mutex, since the store's single writer is the narrower
//! place. Around it: workers that send (`worker`, `attempt`, `judge`), claims that read what is due
//! (`claim`), the recorder that has outcomes committed (`recorder`), and the alarm (`alarm`).
//!
//! A job's life here: the store offers it, or a claim brings it → its lane's `backlog` → a slot
//! (`slots`) → a worker sends it → the lane judges it (`settle`) → the recorder commits the outcome →
//! it leaves memory. Whatever is in memory is in the store as well: nothing is lost when memory is.

mod alarm;
mod attempt;
mod backlog;
mod claim;
mod dispatch;
mod engine;
#[cfg(test)]
mod fixtures;
mod judge;
mod lane;
mod memory;
mod meter;
mod owner;
mod recorder;
mod recoveries;
mod retention;
mod settings;
mod settle;
mod shutdown;
#[cfg(test)]
mod simulation;
mod slots;
mod stats;
mod time;
mod waiting;
mod withdrawn;
mod worker;

pub use backlog::QUEUE_JOBS_MAX;
pub use engine::Engine;
pub use memory::{MEMORY_BYTES_MAX, MEMORY_JOBS_MAX};
pub use recoveries::run_recoveries;
pub use retention::run_retention;
pub use settings::Settings;
pub use shutdown::Drained;
pub use stats::Stats;
pub use time::Timer;
pub use waiting::run_waiting;
