//! The words and rules of Postrider: no I/O, no clock, no chance, no async.

pub mod destination;
