//! Clients: people who register themselves.

pub(crate) mod register;
