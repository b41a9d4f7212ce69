//! Connections to the database: how they are made, and how many there are.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, QueueMode, RecyclingMethod,
    Runtime, Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use store::StoreError;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::connection::Connection;
use crate::fault::Fault;
use crate::open::OpenFault;
use crate::{accept, record};

/// Most connections of a node that people's reads and changes share: more than the cores of most databases gains nothing.
const CONNECTIONS_MAX: usize = 10;
/// Most connections of those that accept and record: some of each are under way at once. They have their own, so that nothing that people
/// ask holds up what is accepted and sent.
const WRITERS_MAX: usize = 4;
/// How long a request waits for one of them before it is told to come again, in seconds.
const WAIT_SECONDS_MAX: u64 = 5;
/// How long making a connection may take, in seconds.
const CONNECT_SECONDS_MAX: u64 = 5;

/// How long a transaction may wait for its node, in seconds, and never longer than a lease: a node that is frozen or cut off in the middle
/// of one holds the rows of its lanes, which nobody can take over before.
const IDLE_IN_TRANSACTION_SECONDS_MAX: u64 = 10;

/// What every connection begins with. The times are bounds on what one node can do to the others. A database that is set to acknowledge
/// what is not durable is told to be durable here.
const BEGIN: &str = "set lock_timeout = '5s'; set statement_timeout = '30s'; set jit = off; set client_min_messages = warning; \
     select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

/// What the connections of those that accept and record have more. Their statements find rows by keys, however few of them there were when
/// the plan was made: it is made once, and never goes through a whole table, which may have grown since.
pub(crate) const BEGIN_WRITER: &str =
    "set plan_cache_mode = force_generic_plan; set enable_seqscan = off";

/// What a node names itself in the database's list of connections, unless the URL says otherwise.
const APPLICATION_NAME: &str = "postrider";

/// Where PostgreSQL listens unless the URL says otherwise.
const PORT_DEFAULT: u16 = 5_432;

/// How long what was sent may stay without an acknowledgement, in seconds: a cut is noticed well within the usual lease.
const SILENCE_SECONDS_MAX: u64 = 10;
/// The pause between two questions whether the other end is there, in seconds, once nothing was heard of it for so long.
const ASK_AGAIN_SECONDS: u64 = 2;

/// The way to the database, for a connection of one's own.
#[derive(Clone)]
pub(crate) struct Way {
    config: Config,
    tls: MakeRustlsConnect,
}

/// A connection's other half, which must be polled.
type Wire = tokio_postgres::Connection<
    tokio_postgres::Socket,
    <MakeRustlsConnect as tokio_postgres::tls::MakeTlsConnect<tokio_postgres::Socket>>::Stream,
>;

impl Way {
    /// Makes a connection; nothing where that takes too long.
    pub(crate) async fn connect(&self) -> Result<Option<(Client, Wire)>, tokio_postgres::Error> {
        let connecting = self.config.connect(self.tls.clone());
        match tokio::time::timeout(connect_time(&self.config), connecting).await {
            Ok(connected) => connected.map(Some),
            Err(_) => Ok(None),
        }
    }
}

/// How long making a connection may take: each of the hosts may take its time.
fn connect_time(config: &Config) -> Duration {
    let hosts = u32::try_from(config.get_hosts().len().max(1)).unwrap_or(u32::MAX);
    Duration::from_secs(CONNECT_SECONDS_MAX).saturating_mul(hosts)
}

/// Connections to the database that a URL names, those of the writers, and the way to it, for a node with this lease; none is made yet.
///
/// # Errors
/// When the URL or the certificates cannot be used.
pub(crate) fn pools(
    url: &str,
    extra_ca_pem: Option<&[u8]>,
    lease: Duration,
) -> Result<(Pool, Pool, Way), OpenFault> {
    let mut config = parse(url)?;
    if config.get_application_name().is_none() {
        config.application_name(APPLICATION_NAME);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(CONNECT_SECONDS_MAX));
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(SILENCE_SECONDS_MAX));
    }
    config.keepalives_idle(Duration::from_secs(SILENCE_SECONDS_MAX));
    config.keepalives_interval(Duration::from_secs(ASK_AGAIN_SECONDS));
    let tls = MakeRustlsConnect::new(tls(extra_ca_pem)?);
    let way = Way { config, tls };
    let idle = lease.min(Duration::from_secs(IDLE_IN_TRANSACTION_SECONDS_MAX));
    let idle = idle.as_millis();
    let begin: Arc<str> =
        format!("set idle_in_transaction_session_timeout = '{idle}ms'; {BEGIN}").into();
    let begin_all = begin.clone();
    let begin_each = Hook::async_fn(move |client, _| {
        let begin = begin_all.clone();
        Box::pin(async move {
            let begun = client.batch_execute(&begin).await;
            begun.map_err(HookError::Backend)
        })
    });
    let begin_writer = Hook::async_fn(move |client, _| {
        let begin = begin.clone();
        Box::pin(async move {
            let begun = begin_writer(client, &begin).await;
            begun.map_err(HookError::Backend)
        })
    });
    Ok((
        pool(&way, CONNECTIONS_MAX, begin_each)?,
        pool(&way, WRITERS_MAX, begin_writer)?,
        way,
    ))
}

/// Statements that are sent together must be known, or they would not be carried out in their order.
async fn begin_writer(client: &ClientWrapper, begin: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(begin).await?;
    client.batch_execute(BEGIN_WRITER).await?;
    let together: Vec<&'static str> =
        [accept::TOGETHER.concat(), record::TOGETHER.to_vec()].concat();
    for sql in together {
        client.prepare_cached(sql).await?;
    }
    Ok(())
}

fn pool(way: &Way, connections_max: usize, begin: Hook) -> Result<Pool, OpenFault> {
    let recycling_method = RecyclingMethod::Fast;
    let (config, tls) = (way.config.clone(), way.tls.clone());
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let pool = Pool::builder(manager)
        .max_size(connections_max)
        // The one that was used last knows the most: its backend has tables, plans and pages at hand.
        .queue_mode(QueueMode::Lifo)
        .timeouts(Timeouts {
            wait: seconds(WAIT_SECONDS_MAX),
            create: Some(connect_time(&way.config)),
            recycle: seconds(CONNECT_SECONDS_MAX),
        })
        .runtime(Runtime::Tokio1)
        .post_create(begin)
        .build();
    pool.map_err(|error| OpenFault::Url(error.to_string()))
}

/// A connection for work that belongs to no node, and may take as long as it takes.
///
/// # Errors
/// When the URL or the certificates cannot be used, or the database cannot be reached.
pub(crate) async fn connect_alone(
    url: &str,
    extra_ca_pem: Option<&[u8]>,
) -> Result<Connection, OpenFault> {
    let lease = Duration::from_secs(IDLE_IN_TRANSACTION_SECONDS_MAX);
    let (pool, ..) = pools(url, extra_ca_pem, lease)?;
    let object = pool.get().await.map_err(Fault::from);
    let object = object.map_err(StoreError::from)?;
    Ok(Connection::new(object).with_patience(Duration::MAX))
}

/// Reads a URL. Certificates are always verified where there is TLS, so that libpq's stricter modes mean the same as `require`.
fn parse(url: &str) -> Result<Config, OpenFault> {
    let mut url = url.to_owned();
    for strict in ["verify-ca", "verify-full"] {
        url = url.replace(&format!("sslmode={strict}"), "sslmode=require");
    }
    Config::from_str(&url).map_err(|error| OpenFault::Url(error.to_string()))
}

/// Where a URL leads, without user and password.
///
/// # Errors
/// When the URL cannot be used.
pub(crate) fn address(url: &str) -> Result<String, OpenFault> {
    let config = parse(url)?;
    let ports = config.get_ports();
    let port = |place: usize| ports.get(place).or(ports.first()).unwrap_or(&PORT_DEFAULT);
    let hosts = config.get_hosts().iter().enumerate();
    let hosts: Vec<String> = hosts
        .map(|(place, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(place)),
            Host::Unix(folder) => folder.display().to_string(),
        })
        .collect();
    let name = config.get_dbname().or(config.get_user());
    Ok(format!(
        "postgres://{}/{}",
        hosts.join(","),
        name.unwrap_or_default()
    ))
}

/// Mozilla's authorities as they were when this program was built, and those of the extra CA file.
fn tls(extra_ca_pem: Option<&[u8]>) -> Result<ClientConfig, OpenFault> {
    let unusable = |reason: String| OpenFault::Tls(reason);
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in CertificateDer::pem_slice_iter(extra_ca_pem.unwrap_or_default()) {
        let certificate = certificate.map_err(|fault| unusable(fault.to_string()))?;
        let added = roots.add(certificate);
        added.map_err(|fault| unusable(fault.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| unusable(fault.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::{SslMode, TargetSessionAttrs};

    use super::*;

    #[test]
    fn a_url_says_whether_there_is_tls() {
        let cases = [
            ("postgres://db/x", SslMode::Prefer),
            ("postgres://db/x?sslmode=disable", SslMode::Disable),
            ("postgres://db/x?sslmode=require", SslMode::Require),
            ("postgres://db/x?sslmode=verify-full", SslMode::Require),
        ];
        for (url, mode) in cases {
            assert_eq!(parse(url).expect("a URL").get_ssl_mode(), mode, "{url}");
        }
    }

    #[test]
    fn a_url_may_name_several_hosts_of_which_the_one_that_is_written_to_counts() {
        let url = "postgres://one:5433,two/x?target_session_attrs=read-write";
        let config = parse(url).expect("a URL");
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(config.get_ports(), [5433, 5432]);
        let wanted = TargetSessionAttrs::ReadWrite;
        assert_eq!(config.get_target_session_attrs(), wanted);
        assert_eq!(connect_time(&config), Duration::from_secs(10));
    }

    #[test]
    fn an_address_has_neither_user_nor_password() {
        let cases = [
            ("postgres://a:secret@db/x", "postgres://db:5432/x"),
            (
                "postgres://a:secret@db:5433/x?sslmode=require",
                "postgres://db:5433/x",
            ),
            ("postgres:///x?host=/run/db&user=a", "postgres:///run/db/x"),
            ("postgres://a@one,two:7/x", "postgres://one:5432,two:7/x"),
        ];
        for (url, expected) in cases {
            assert_eq!(address(url).expect("a URL"), expected, "{url}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_password() {
        for url in ["postgres://a:secret@db/x?sslmode=nothing", "secret"] {
            let fault = parse(url).expect_err(url).to_string();
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}
