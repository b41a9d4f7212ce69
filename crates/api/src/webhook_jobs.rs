//! Webhook jobs, as people see them.

pub(crate) mod cancel;
mod filters;
pub(crate) mod index;
pub(crate) mod replay;
pub(crate) mod retry;
pub(crate) mod retry_many;
pub(crate) mod shape;
pub(crate) mod show;

use contract::Param;

const ID: Param = Param::integer("id")
    .at(200)
    .required()
    .about("The id of the job.");

const RERENDER: Param = Param::boolean("rerender").about(
    "Whether payloads are rendered anew, by the subscription's view as it is now and of the order as it is now. \
     `false` when absent: the same bytes are sent.",
);
