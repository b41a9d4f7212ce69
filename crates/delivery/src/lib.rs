//! The delivery engine: lanes, attempts, outcomes, shutdown.
