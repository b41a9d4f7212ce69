//! Test receivers: callbacks that live in this process, for a first delivery without any server of one's own. What arrives is kept in
//! memory only, and shown on the page of its integration.

mod kept;
mod page;

pub use kept::TestReceivers;
pub(crate) use page::router;
