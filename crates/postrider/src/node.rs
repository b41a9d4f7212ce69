//! One running node: store, engine, API and the listener, wired together and taken down in order.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use app::App;
use dashboard::TestReceivers;
use delivery::{run_recoveries, run_retention, run_waiting};
use domain::time::Clock;
use egress::{Client, ClientConfig, IDLE_MAX, PoolLimits};
use http::HeaderValue;
use rand::SeedableRng;
use rand::rngs::StdRng;
use store::{Lanes, Store};
use store_postgres::PostgresStore;
use store_sqlite::{ServeLock, SqliteStore};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::{self, SystemClock};
use crate::config::{Config, DatabaseUrl};
use crate::secret_key::secret_key;
use crate::serve::Listener;
use crate::{identity, mailing, metrics, wire};

/// Files that are left for the store, logs, name look-ups and the like.
const FILES_RESERVED: u64 = 256;
/// The other files are shared by three: deliveries in flight, connections kept for the next ones, and clients
/// of the API.
const FILES_SHARED_BY: u64 = 3;
/// Most requests in flight however many files there may be: each takes up to 24 KiB, so that they stay within 48 MiB, and
/// more would wait at the receivers.
const IN_FLIGHT_MAX: u64 = 2_048;
/// Requests in flight on a machine that tells no limit of files.
const IN_FLIGHT_DEFAULT: u64 = 512;

/// How often the last uses of sessions are written, in seconds: a crash sets them back by as much, of 72 hours.
const LAST_USES_SECONDS: u64 = 60;

/// Who we say that we are.
const USER_AGENT: &str = concat!("Postrider/", env!("CARGO_PKG_VERSION"));

/// A node that accepts and delivers.
pub struct Node {
    store: Arc<dyn Store>,
    engine: Arc<delivery::Engine>,
    app: Arc<App>,
    last_uses: JoinHandle<()>,
    recoveries: JoinHandle<()>,
    retention: JoinHandle<()>,
    waiting: JoinHandle<()>,
    measuring: JoinHandle<()>,
    outbox: mail::Outbox,
    listener: Listener,
    /// Tells the pages that are kept up to date to let go.
    stopping: CancellationToken,
    /// Where people reach the server.
    public_url: String,
    grace: Duration,
    _lock: Option<ServeLock>,
}

/// How many files this process may open, raised as far as the system allows.
pub fn open_files_max() -> u64 {
    rlimit::increase_nofile_limit(u64::MAX).unwrap_or(IN_FLIGHT_DEFAULT * FILES_SHARED_BY)
}

/// Opens the store of the configuration.
///
/// # Errors
/// Key, folder or database cannot be used.
pub async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match &config.database_url {
        Some(url) => Arc::new(open_postgres(config, url).await?),
        None => Arc::new(open_sqlite(config)?),
    })
}

fn open_sqlite(config: &Config) -> anyhow::Result<SqliteStore> {
    let (key, now) = (secret_key(config)?, SystemClock.now());
    Ok(SqliteStore::open(&config.data, key, chance()?, now)?)
}

async fn open_postgres(config: &Config, url: &DatabaseUrl) -> anyhow::Result<PostgresStore> {
    let (key, now) = (secret_key(config)?, SystemClock.now());
    let extra_ca_pem = config.extra_ca_pem.as_deref();
    let lease = config.lease;
    let opened = PostgresStore::open(url.text(), extra_ca_pem, key, chance()?, lease, now);
    let store = opened.await?;
    clock::follow(store.clock());
    Ok(store)
}

/// Gives a node the name of its folder, as long as it serves no other. Without a name it takes a lease longer to be back after a kill.
fn be_called(config: &Config, store: &PostgresStore) -> Option<ServeLock> {
    let lock = match ServeLock::take(&config.data) {
        Ok(lock) => lock,
        Err(fault) => {
            tracing::info!(%fault, "this node has no folder of its own");
            return None;
        }
    };
    if let Some(name) = identity::name(&lock) {
        store.be_called(name);
    }
    Some(lock)
}

fn chance() -> anyhow::Result<StdRng> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).context("the system gives no random bytes")?;
    Ok(StdRng::from_seed(seed))
}

/// Takes the right to serve a data folder, and opens its store; what waits is brought along where the clock was set back.
async fn serve_folder(config: &Config) -> anyhow::Result<(SqliteStore, ServeLock)> {
    let lock = ServeLock::take(&config.data)?;
    let set_back = lock.clock_set_back(&config.data, SystemClock.now());
    let store = open_sqlite(config)?;
    if let Some(by) = set_back {
        let seconds = by.as_secs();
        tracing::warn!(
            seconds,
            "the clock was set back since the last start; what waits is brought along"
        );
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        let set = store.clock_set(-by, SystemClock.now());
        set.await.context("what waits cannot be brought along")?;
    }
    Ok((store, lock))
}

/// At least one, whatever the system allows.
fn count(files: u64) -> usize {
    usize::try_from(files).unwrap_or(usize::MAX).max(1)
}

/// What the engine is started with.
fn engine_settings(config: &Config, in_flight: u64) -> delivery::Settings {
    delivery::Settings {
        retry: config.retry.clone(),
        attempt_timeout: config.delivery_timeout,
        in_flight_max: count(in_flight),
        user_agent: HeaderValue::from_static(USER_AGENT),
        // Nodes that start at different moments shall not retry at the same ones.
        seed: SystemClock.now().microseconds().unsigned_abs(),
    }
}

/// What sends the deliveries; those for test receivers stay in this process.
fn client(
    config: &Config,
    in_flight: u64,
    test_receivers: Arc<TestReceivers>,
) -> anyhow::Result<Client> {
    Ok(Client::new(ClientConfig {
        policy: config.egress.clone(),
        extra_ca_pem: config.extra_ca_pem.clone(),
        pool: PoolLimits {
            idle: IDLE_MAX.min(count(in_flight)),
            ..PoolLimits::default()
        },
        in_process: Some(wire::reach(test_receivers)),
        ..ClientConfig::default()
    })?)
}

/// Writes now and then when sessions were last used. What fails is tried again the next time, and at the end.
async fn write_last_uses(app: Arc<App>) {
    let mut every = tokio::time::interval(Duration::from_secs(LAST_USES_SECONDS));
    loop {
        every.tick().await;
        if let Err(error) = app.write_last_uses().await {
            tracing::debug!(%error, "the last uses of sessions were not written yet");
        }
    }
}

impl Node {
    /// Starts everything; when this returns, requests are answered.
    ///
    /// # Errors
    /// Whatever cannot be used, with the remedy.
    pub async fn start(config: &Config) -> anyhow::Result<Node> {
        let Some(url) = &config.database_url else {
            let (store, lock) = serve_folder(config).await?;
            return Node::start_on(config, Arc::new(store), Some(lock)).await;
        };
        let store = open_postgres(config, url).await?;
        let lock = be_called(config, &store);
        Node::start_on(config, Arc::new(store), lock).await
    }

    async fn start_on<S: Store + 'static>(
        config: &Config,
        store: Arc<S>,
        lock: Option<ServeLock>,
    ) -> anyhow::Result<Node> {
        // Before anything is delivered: a node that nobody can reach shall not begin.
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", config.listen))?;
        let listening = listener.local_addr()?;
        let post = mailing::post(config, listening)?;
        let files = open_files_max().saturating_sub(FILES_RESERVED) / FILES_SHARED_BY;
        let in_flight = files.min(IN_FLIGHT_MAX);
        let test_receivers = Arc::new(TestReceivers::default());
        let client = client(config, in_flight, test_receivers.clone())?;
        let engine = delivery::Engine::start(
            store.clone(),
            client.clone(),
            Arc::new(SystemClock),
            engine_settings(config, in_flight),
        )
        .await
        .context("the waiting jobs cannot be read")?;
        let outbox = mail::Outbox::start(store.clone(), post.clone())
            .await
            .context("the waiting mails cannot be read")?;
        let key = secret_key(config)?;
        let app = wire::app(store.clone(), engine.clone(), mailing::mailer(post), &key);
        let stopping = CancellationToken::new();
        let router = wire::router(
            config,
            app.clone(),
            client,
            listening,
            test_receivers,
            stopping.clone(),
        )
        .await
        .context("the records of services and routes cannot be made")?;
        metrics::start();
        let router = router.merge(metrics::router(store.clone(), engine.clone()));
        let listener = Listener::start(listener, router, in_flight)?;
        Ok(Node {
            store: store.clone(),
            engine,
            last_uses: tokio::spawn(write_last_uses(app.clone())),
            measuring: tokio::spawn(metrics::keep_up()),
            recoveries: tokio::spawn(run_recoveries(store.clone(), Arc::new(SystemClock))),
            retention: tokio::spawn(run_retention(
                store.clone(),
                Arc::new(SystemClock),
                config.retention,
            )),
            waiting: tokio::spawn(run_waiting(store.clone(), Arc::new(SystemClock))),
            app,
            outbox,
            listener,
            stopping,
            public_url: config.mails.public_url(listening),
            grace: config.shutdown_grace,
            _lock: lock,
        })
    }

    /// Where it listens, as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.listener.address())
    }

    /// Where the first employee is made, if there is none yet. Whoever reads it may do so: it is told to whoever started the server.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn first_run_url(&self) -> anyhow::Result<Option<String>> {
        let offered = self.app.offer_first_run().await;
        let token = offered.context("the store cannot be read")?;
        Ok(token.map(|token| format!("{}/first_run?token={}", self.public_url, token.text())))
    }

    /// Stops accepting, lets what is in flight end within the grace, and closes the store. What is cut off
    /// stays due, and goes out at the next start.
    pub async fn stop(self) {
        let end = Instant::now() + self.grace;
        self.stopping.cancel();
        self.listener.stop(self.grace).await;
        // A step is whole or not at all.
        self.recoveries.abort();
        self.retention.abort();
        self.waiting.abort();
        self.measuring.abort();
        let left = end.saturating_duration_since(Instant::now());
        self.engine.shutdown(left).await;
        self.last_uses.abort();
        if let Err(error) = self.app.write_last_uses().await {
            tracing::warn!(%error, "the last uses of sessions were not written");
        }
        let left = end.saturating_duration_since(Instant::now());
        self.outbox.shutdown(left).await;
        self.store.close().await;
    }
}
