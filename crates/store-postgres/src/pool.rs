//! Connections to the database: how they are made, and how many there are.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime, Timeouts,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::open::OpenFault;

/// Most connections of a node that people's reads and changes share: more than the cores of most databases gains nothing.
const CONNECTIONS_MAX: usize = 10;
/// How long a request waits for one of them before it is told to come again, in seconds.
const WAIT_SECONDS_MAX: u64 = 5;
/// How long making a connection may take, in seconds.
const CONNECT_SECONDS_MAX: u64 = 5;

/// What every connection begins with. The times are bounds on what one node can do to the others: a node that is frozen in the middle of
/// a transaction loses it, with its locks. A database that is set to acknowledge what is not durable is told to be durable here.
const BEGIN: &str = "set lock_timeout = '5s'; set statement_timeout = '30s'; \
     set idle_in_transaction_session_timeout = '10s'; set jit = off; set client_min_messages = warning; \
     select set_config('synchronous_commit', 'on', false) where current_setting('synchronous_commit') = 'off'";

/// What a node names itself in the database's list of connections, unless the URL says otherwise.
const APPLICATION_NAME: &str = "postrider";

/// How long what was sent may stay without an acknowledgement, in seconds: a cut is noticed well within a lease.
const SILENCE_SECONDS_MAX: u64 = 10;

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
    /// Makes a connection.
    pub(crate) async fn connect(&self) -> Result<(Client, Wire), tokio_postgres::Error> {
        let (client, wire) = self.config.connect(self.tls.clone()).await?;
        Ok((client, wire))
    }
}

/// Connections to the database that a URL names, and the way to it; none is made yet.
///
/// # Errors
/// When the URL or the certificates cannot be used.
pub(crate) fn pool(url: &str, extra_ca_pem: Option<&[u8]>) -> Result<(Pool, Way), OpenFault> {
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
    let tls = MakeRustlsConnect::new(tls(extra_ca_pem)?);
    let way = Way {
        config: config.clone(),
        tls: tls.clone(),
    };
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, tls, ManagerConfig { recycling_method });
    let begin = Hook::async_fn(|client, _| {
        Box::pin(async move {
            client
                .batch_execute(BEGIN)
                .await
                .map_err(HookError::Backend)
        })
    });
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    let pool = Pool::builder(manager)
        .max_size(CONNECTIONS_MAX)
        .timeouts(Timeouts {
            wait: seconds(WAIT_SECONDS_MAX),
            create: seconds(CONNECT_SECONDS_MAX),
            recycle: seconds(CONNECT_SECONDS_MAX),
        })
        .runtime(Runtime::Tokio1)
        .post_create(begin)
        .build();
    let pool = pool.map_err(|error| OpenFault::Url(error.to_string()))?;
    Ok((pool, way))
}

/// Reads a URL. Certificates are always verified where there is TLS, so that libpq's stricter modes mean the same as `require`.
fn parse(url: &str) -> Result<Config, OpenFault> {
    let mut url = url.to_owned();
    for strict in ["verify-ca", "verify-full"] {
        url = url.replace(&format!("sslmode={strict}"), "sslmode=require");
    }
    Config::from_str(&url).map_err(|error| OpenFault::Url(error.to_string()))
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
    use tokio_postgres::config::SslMode;

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
    fn what_is_no_url_is_refused_without_its_password() {
        for url in ["postgres://a:secret@db/x?sslmode=nothing", "secret"] {
            let fault = parse(url).expect_err(url).to_string();
            assert!(!fault.contains("secret"), "{fault}");
        }
    }
}
