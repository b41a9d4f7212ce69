//! Work of some milliseconds, beside the requests that share the thread.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Compiles or renders a template, which takes some milliseconds: the requests that share the thread go on at
/// another one meanwhile.
pub(crate) fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        // Tests have one thread, and nobody to make room for.
        _ => work(),
    }
}
