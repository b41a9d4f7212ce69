//! List items: the words that other parameters take.

pub(crate) mod index;
mod shape;
