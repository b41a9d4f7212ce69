//! Authorities, certificates and receivers under TLS.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use domain::destination::CallbackUrl;
use egress::{Client, ClientConfig, PoolLimits, Resolver};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::receiver::{Receiver, config, url};

pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority() -> Authority {
    authority_named("A test authority")
}

pub fn authority_named(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

/// How the certificate of a receiver is made.
pub struct Certificate {
    pub host: &'static str,
    pub years: (i32, i32),
}

pub const GOOD: Certificate = Certificate {
    host: "hooks.example",
    years: (2020, 2090),
};

/// Protects connections; `protocols` are what it offers to speak, the preferred one first.
pub fn acceptor(
    authority: &Authority,
    certificate: &Certificate,
    protocols: &[&str],
) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new([certificate.host.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(certificate.years.0, 1, 1);
    params.not_after = date_time_ymd(certificate.years.1, 1, 1);
    let signed = params.signed_by(&key, authority).expect("is signed");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the defaults")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(signed)],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("a certificate with its key");
    config.alpn_protocols = protocols
        .iter()
        .map(|name| name.as_bytes().to_vec())
        .collect();
    TlsAcceptor::from(Arc::new(config))
}

/// Trusts the authority; every name leads to loopback.
pub fn client(authority: &Authority, pool: PoolLimits) -> Client {
    let resolver =
        Resolver::scripted(|_| Box::pin(async { Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]) }));
    let extra_ca_pem = Some(authority.pem().into_bytes());
    Client::new(ClientConfig {
        extra_ca_pem,
        resolver,
        pool,
        ..config()
    })
    .expect("is good")
}

pub fn at(receiver: &Receiver, host: &str) -> CallbackUrl {
    url(&format!("https://{host}:{}/", receiver.address.port()))
}
