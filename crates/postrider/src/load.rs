//! `postrider load`: a bounded benchmark of a running server, with its own producer and receiver.
//!
//! The producer reports changes, the receiver takes the deliveries; both know the number and the
//! sending time of each change from a [`marker`] in the body, so that lost, duplicate and misordered
//! deliveries are found and not estimated. In the same run the producer also sends straight to the
//! receiver: what machine and tool can do at most, the yardstick for the server's figures.
//!
//! [`args`] are the flags, [`scenario`] what they default to, [`plan`] says what is measured, [`target`] whom, [`child`] starts one, [`setup`] makes the
//! subscriptions, [`producer`] and [`receiver`] each have a thread, [`ledger`] holds what was sent and
//! received, [`phase`] measures one configuration, [`history`] makes jobs that are over, [`report`] tells of it.

mod args;
mod bits;
mod body;
mod child;
mod disk;
mod histogram;
mod history;
mod ledger;
mod marker;
mod phase;
mod plan;
mod process;
mod producer;
mod receipts;
mod receiver;
mod report;
mod run;
mod scenario;
mod sender;
mod setup;
mod table;
mod target;
#[cfg(test)]
mod tests;
mod windows;

pub use args::LoadArgs;
pub use run::run;
pub(crate) use sender::Sender;
pub(crate) use target::Target;
