//! Tests of what people ask of the store: records, lists, and jobs by hand. What the delivery engine asks is tested in
//! `tests/store`.

mod applications;
mod batches;
mod by_hand;
mod job_lists;
mod lanes;
mod lists;
mod people;
mod records;
mod registry;
mod retention;
mod statements;
mod subscriptions;
mod views;
mod world;
