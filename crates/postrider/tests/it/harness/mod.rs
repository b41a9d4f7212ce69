//! What the tests share: a server process, a client, a receiver, waiting.

pub mod arrivals;
pub mod client;
mod contract;
pub mod disk;
pub mod host;
pub mod mailbox;
pub mod producers;
pub mod receiver;
pub mod relay;
pub mod server;
pub mod shim;
pub mod swift;
pub mod whole;

use std::time::{Duration, Instant};

pub use client::{Answer, Client};
pub use mailbox::{Mail, Mailbox};
pub use receiver::{Received, Receiver};
pub use server::Server;
pub use shim::Shim;

/// Far longer than anything here takes: it only ends a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` gives something.
pub fn wait_for<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(result) = condition() {
            return result;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        // Gives the processor away between two looks; the deadline above is what ends the wait.
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

/// What sensitive routes take.
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Parameters with more of them, which replace those of the same name.
pub fn with(mut parameters: serde_json::Value, more: &serde_json::Value) -> serde_json::Value {
    for (name, value) in more.as_object().expect("an object") {
        parameters[name] = value.clone();
    }
    parameters
}
