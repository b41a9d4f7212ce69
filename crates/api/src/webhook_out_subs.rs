//! Outgoing webhook subscriptions.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod enable;
pub(crate) mod explain;
mod fields;
pub(crate) mod index;
mod policies;
pub(crate) mod rotate_secret;
pub(crate) mod secret;
pub(crate) mod send_test;
mod shape;
pub(crate) mod show;
pub(crate) mod update;

use contract::Param;

const ID: Param = Param::integer("id")
    .at(200)
    .required()
    .about("The id of the subscription.");
