//! The wish to stop, as the system tells it.

use std::future::Future;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Begins to listen for the wish to stop (SIGTERM, or Ctrl-C), and waits for it when awaited. A wish that comes in
/// between is kept, so whoever says that it has started listens first.
///
/// # Errors
/// When the system lets nobody listen.
pub fn stop_requested() -> anyhow::Result<impl Future<Output = ()>> {
    let listen = |kind| signal(kind).context("signals cannot be listened for");
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
