//! What every engine does alike: pure functions that stand between its statements.
//!
//! Nothing here reads or writes. An engine fetches what a rule asks about, calls it, and stores what it says.

pub mod match_trace;
pub mod recoveries;
pub mod retention;
pub mod sealed_headers;
pub mod tally;
pub mod verify;
pub mod webhook_out_subs;
