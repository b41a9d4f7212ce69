//! Tests of what people ask of the store: the laws of all stores, and records, lists, and jobs by hand. What the delivery engine
//! asks is tested in `tests/store`.

mod batches;
mod laws;
mod readers;
mod records;
mod retention;
mod statements;
mod world;
