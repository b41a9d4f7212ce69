//! The wish to stop, as the system tells it.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody asks the process to stop: SIGTERM, or Ctrl-C.
pub async fn stop_requested() {
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // Without a handler the signal ends the process, as it would anyway.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
