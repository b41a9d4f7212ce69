//! Tests of what people ask of the store: the laws of all stores, and records, lists, and jobs by hand. What the delivery engine
//! asks is tested in `tests/store`.

mod batches;
mod by_hand;
mod job_lists;
mod lanes;
mod laws;
mod lists;
mod records;
mod retention;
mod statements;
mod subscriptions;
mod views;
mod world;
