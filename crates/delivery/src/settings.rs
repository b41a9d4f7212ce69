//! What the operator decides.

use std::time::Duration;

use domain::retry::RetryPolicy;
use http::HeaderValue;

/// What an engine is started with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// When failed jobs are attempted again, and when they are given up.
    pub retry: RetryPolicy,
    /// Deadline of an attempt whose subscription states none.
    pub attempt_timeout: Duration,
    /// Most requests at once, of all lanes together; each costs a file and up to 17 KiB.
    pub in_flight_max: usize,
    /// Who we say that we are, such as `Postrider/1.0.0`.
    pub user_agent: HeaderValue,
    /// Where the jitter of retries begins; the same seed gives the same jitter.
    pub seed: u64,
}
