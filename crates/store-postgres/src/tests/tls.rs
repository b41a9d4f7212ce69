//! TLS to the database: certificates are verified, names too, by Mozilla's authorities and those of one's own file.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use tempfile::TempDir;

use crate::examine;

/// What runs the server.
const SERVE: &str = include_str!("tls/serve.sh");
/// How long the server may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that takes connections under TLS only; its certificate is for `localhost`.
struct Server {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Server {
    fn url(&self, host: &str, more: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres{more}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGINT: it ends at once, connections and all, and takes its processes with it.
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-INT", &pid]).status());
        drop(self.child.wait());
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a certificate")
}

fn start(authority: &CertifiedIssuer<'static, KeyPair>) -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2090, 1, 1);
    let signed = params.signed_by(&key, authority).expect("is signed");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("written");
    };
    write("server.crt", &signed.pem());
    write("server.key", &key.serialize_pem());
    write("serve.sh", SERVE);
    let free = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = free.local_addr().expect("bound").port();
    drop(free);
    let child = run(folder.path(), port);
    Server {
        child,
        port,
        _folder: folder,
    }
}

fn run(folder: &Path, port: u16) -> Child {
    let mut command = Command::new("bash");
    command.arg(folder.join("serve.sh")).arg(folder);
    command.arg(port.to_string()).spawn().expect("bash runs")
}

/// Waits until the server takes connections.
async fn up(server: &Server, pem: &[u8]) {
    let began = Instant::now();
    while let Err(fault) = examine(&server.url("localhost", ""), Some(pem)).await {
        assert!(began.elapsed() < PATIENCE, "{fault}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Why a connection is refused.
async fn refused(url: &str, pem: Option<&[u8]>) -> String {
    let fault = examine(url, pem).await.expect_err(url);
    format!("{fault:?}")
}

#[tokio::test]
async fn certificates_and_names_are_verified() {
    let (own, other) = (authority("Ours"), authority("Another's"));
    let (pem, other) = (own.pem(), other.pem());
    let server = start(&own);
    up(&server, pem.as_bytes()).await;
    for more in [
        "",
        "?sslmode=require",
        "?sslmode=verify-ca",
        "?sslmode=verify-full",
    ] {
        let url = server.url("localhost", more);
        let examined = examine(&url, Some(pem.as_bytes())).await;
        assert!(examined.expect(&url).tls, "{url}");
        for pem in [None, Some(other.as_bytes())] {
            let said = refused(&url, pem).await;
            assert!(said.contains("certificate"), "{url}: {said}");
        }
        // The certificate is for another name.
        let said = refused(&server.url("127.0.0.1", more), Some(pem.as_bytes())).await;
        assert!(said.contains("certificate"), "{more}: {said}");
    }
    let said = refused(&server.url("localhost", "?sslmode=disable"), None).await;
    assert!(said.contains("no encryption"), "{said}");
}
