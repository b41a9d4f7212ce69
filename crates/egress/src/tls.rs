//! TLS: the authorities that are trusted, and the handshake.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Host;

use crate::fault::TlsFault;

/// How many hosts' sessions are remembered: a resumed handshake costs half of a full one.
const SESSIONS_MAX: usize = 4_096;

/// The name of HTTP/2 in the handshake (RFC 9113 section 3.1).
const HTTP_2: &[u8] = b"h2";

/// Why a client cannot be made from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// The extra CA file holds no certificate.
    #[error("the extra CA file holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// A certificate of the extra CA file cannot be read.
    #[error("the extra CA file holds an unreadable certificate: {0}")]
    BadCertificate(String),
    /// The TLS library refuses its own defaults.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
}

/// Mozilla's authorities as they were when this program was built, and those of the extra CA file.
///
/// # Errors
/// When the extra CA file holds no readable certificate.
pub(crate) fn connector(extra_ca_pem: Option<&[u8]>) -> Result<TlsConnector, ConfigFault> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(pem) = extra_ca_pem {
        add_extra(&mut roots, pem)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|fault| ConfigFault::Tls(fault.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![HTTP_2.to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
    Ok(TlsConnector::from(Arc::new(config)))
}

fn add_extra(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), ConfigFault> {
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|fault| ConfigFault::BadCertificate(fault.to_string()))?;
        roots
            .add(certificate)
            .map_err(|fault| ConfigFault::BadCertificate(fault.to_string()))?;
    }
    if roots.len() == before {
        Err(ConfigFault::NoCertificate)
    } else {
        Ok(())
    }
}

/// Protects a fresh connection; the certificate must be for the host of the URL.
///
/// # Errors
/// Whatever fails in the handshake.
pub(crate) async fn protect(
    connector: &TlsConnector,
    host: &Host,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, TlsFault> {
    let name = server_name(host)?;
    connector
        .connect(name, stream)
        .await
        .map_err(|error: io::Error| TlsFault::from(error))
}

/// Whether the receiver chose HTTP/2 in the handshake.
pub(crate) fn is_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP_2)
}

/// The name that is sent and compared; it never ends in a dot (RFC 6066 section 3).
fn server_name(host: &Host) -> Result<ServerName<'static>, TlsFault> {
    match host {
        Host::Ipv4(address) => Ok(ServerName::from(std::net::IpAddr::V4(*address))),
        Host::Ipv6(address) => Ok(ServerName::from(std::net::IpAddr::V6(*address))),
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name).to_owned();
            ServerName::try_from(name).map_err(|fault| TlsFault::Other(fault.to_string()))
        }
    }
}
