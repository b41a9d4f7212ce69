//! Tests of callback URLs and of the egress policy.

mod policy;
mod registries;
mod urls;
