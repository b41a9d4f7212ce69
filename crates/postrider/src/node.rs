//! One running node: store, engine, API and the listener, wired together and taken down in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use domain::time::Clock;
use egress::{Client, ClientConfig};
use http::HeaderValue;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::Store;
use store_sqlite::{ServeLock, SqliteStore};
use tokio::net::TcpListener;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::secret_key::secret_key;
use crate::serve::Listener;
use crate::wire;

/// Files that are left for the store, logs, name look-ups and the like.
const FILES_RESERVED: u64 = 256;
/// Share of the other files that deliveries may use; clients of the API have the rest.
const DELIVERY_FILES_SHARE: u64 = 2;
/// Requests in flight on a machine that tells no limit of files.
const IN_FLIGHT_DEFAULT: u64 = 512;

/// Who we say that we are.
const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));

/// A node that accepts and delivers.
pub struct Node {
    store: Arc<dyn Store>,
    engine: Arc<delivery::Engine>,
    listener: Listener,
    grace: Duration,
    _lock: ServeLock,
}

/// How many files this process may open, raised as far as the system allows.
pub fn open_files_max() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(IN_FLIGHT_DEFAULT * DELIVERY_FILES_SHARE)
}

/// Opens the store of the configuration.
///
/// # Errors
/// Key, folder or database cannot be used.
pub fn open_store(config: &Config) -> anyhow::Result<SqliteStore> {
    let key = secret_key(config)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random bytes")?;
    let chance = StdRng::from_seed(seed);
    let store = SqliteStore::open(&config.data, key, chance, SystemClock.now())?;
    Ok(store)
}

/// What the engine is started with.
fn engine_settings(config: &Config, in_flight: u64) -> delivery::Settings {
    delivery::Settings {
        retry: config.retry.clone(),
        attempt_timeout: config.delivery_timeout,
        in_flight_max: usize::try_from(in_flight).unwrap_or(usize::MAX).max(1),
        user_agent: HeaderValue::from_static(USER_AGENT),
        // Nodes that start at different moments shall not retry at the same ones.
        seed: SystemClock.now().microseconds().unsigned_abs(),
    }
}

impl Node {
    /// Starts everything; when this returns, requests are answered.
    ///
    /// # Errors
    /// Whatever cannot be used, with the remedy.
    pub async fn start(config: &Config) -> anyhow::Result<Node> {
        let lock = ServeLock::take(&config.data)?;
        let store: Arc<dyn Store> = Arc::new(open_store(config)?);
        let client = Client::new(ClientConfig {
            policy: config.egress.clone(),
            extra_ca_pem: config.extra_ca_pem.clone(),
            ..ClientConfig::default()
        })?;
        let in_flight = open_files_max().saturating_sub(FILES_RESERVED) / DELIVERY_FILES_SHARE;
        let engine = delivery::Engine::start(
            store.clone(),
            client.clone(),
            Arc::new(SystemClock),
            engine_settings(config, in_flight),
        )
        .await
        .context("the waiting jobs cannot be read")?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let router = wire::router(config, store.clone(), engine.clone(), client);
        let listener = Listener::start(listener, router, in_flight)?;
        Ok(Node {
            store,
            engine,
            listener,
            grace: config.shutdown_grace,
            _lock: lock,
        })
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Stops accepting, lets what is in flight end within the grace, and closes the store. What is cut off
    /// stays due, and goes out at the next start.
    pub async fn stop(self) {
        self.listener.stop(self.grace).await;
        self.engine.shutdown(self.grace).await;
        self.store.close().await;
    }
}
