//! TLS: who is trusted, and plain words for what is wrong with a certificate.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use egress::{Client, ClientConfig, ConfigFault, Fault, Phase, PoolLimits, TlsFault};
use rustls::HandshakeKind;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::certified::{Certificate, GOOD, acceptor, at, authority, authority_named, client};
use crate::receiver::{
    OK, Receiver, config, header, post, post_within, read_request, status, until,
};

/// What servers offer that speak nothing newer.
const HTTP_1: &[&str] = &["http/1.1"];

/// What the receiver saw of the connections it protected.
#[derive(Default)]
struct Seen {
    full: AtomicUsize,
    resumed: AtomicUsize,
}

async fn receiver(acceptor: TlsAcceptor) -> (Receiver, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let script_seen = seen.clone();
    let receiver = Receiver::start(move |stream, _| {
        let (acceptor, seen) = (acceptor.clone(), script_seen.clone());
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let (_, session) = stream.get_ref();
            assert_eq!(session.alpn_protocol(), Some(&b"http/1.1"[..]));
            let counter = match session.handshake_kind() {
                Some(HandshakeKind::Resumed) => &seen.resumed,
                _ => &seen.full,
            };
            counter.fetch_add(1, Ordering::SeqCst);
            while let Some(request) = read_request(&mut stream).await {
                assert!(header(&request.head, "host").is_some());
                stream.write_all(OK).await.expect("is open");
                stream.flush().await.expect("is open");
            }
        }
    })
    .await;
    (receiver, seen)
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_good_and_the_connection_is_kept() {
    let authority = authority();
    let (receiver, seen) = receiver(acceptor(&authority, &GOOD, HTTP_1)).await;
    let client = client(&authority, PoolLimits::default());
    for number in 0..3 {
        let exchange = post(&client, &at(&receiver, "hooks.example")).await;
        assert_eq!((status(&exchange), exchange.reused), (200, number > 0));
        assert_eq!(exchange.timing.tls.is_some(), number == 0);
    }
    assert_eq!(
        (receiver.connections(), seen.full.load(Ordering::SeqCst)),
        (1, 1)
    );
    let dotted = post(&client, &at(&receiver, "hooks.example.")).await;
    assert_eq!(
        status(&dotted),
        200,
        "a trailing dot is no part of the name in a certificate"
    );
}

#[tokio::test]
async fn a_second_connection_resumes_the_session() {
    let authority = authority();
    let (receiver, seen) = receiver(acceptor(&authority, &GOOD, HTTP_1)).await;
    let client = client(
        &authority,
        PoolLimits {
            idle: 0,
            ..PoolLimits::default()
        },
    );
    for _ in 0..3 {
        assert_eq!(
            status(&post(&client, &at(&receiver, "hooks.example")).await),
            200
        );
    }
    let counts = (
        seen.full.load(Ordering::SeqCst),
        seen.resumed.load(Ordering::SeqCst),
    );
    assert_eq!(counts, (1, 2));
}

#[tokio::test]
async fn an_address_may_be_certified_too() {
    let authority = authority();
    let certificate = Certificate {
        host: "127.0.0.1",
        ..GOOD
    };
    let (receiver, _) = receiver(acceptor(&authority, &certificate, HTTP_1)).await;
    let exchange = post(
        &client(&authority, PoolLimits::default()),
        &at(&receiver, "127.0.0.1"),
    )
    .await;
    assert_eq!(status(&exchange), 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let (trusted, impostor, stranger) = (authority(), authority(), authority_named("Another"));
    let expired = Certificate {
        years: (2000, 2001),
        ..GOOD
    };
    let future = Certificate {
        years: (2080, 2090),
        ..GOOD
    };
    let other = Certificate {
        host: "other.example",
        ..GOOD
    };
    let cases = [
        (&trusted, expired, TlsFault::Expired, "certificate-expired"),
        (
            &trusted,
            future,
            TlsFault::NotValidYet,
            "certificate-not-valid-yet",
        ),
        (
            &trusted,
            other,
            TlsFault::WrongHost,
            "certificate-wrong-host",
        ),
        (
            &impostor,
            GOOD,
            TlsFault::UnknownIssuer,
            "certificate-unknown-issuer",
        ),
        (
            &stranger,
            GOOD,
            TlsFault::UnknownIssuer,
            "certificate-unknown-issuer",
        ),
    ];
    for (authority, certificate, expected, slug) in cases {
        let (receiver, seen) = receiver(acceptor(authority, &certificate, HTTP_1)).await;
        let client = client(&trusted, PoolLimits::default());
        let exchange = post(&client, &at(&receiver, "hooks.example")).await;
        let fault = exchange.result.expect_err("is not trusted");
        assert_eq!((&fault, fault.slug()), (&Fault::Tls(expected), slug));
        assert_eq!(receiver.connections(), 1);
        assert_eq!(
            seen.full.load(Ordering::SeqCst),
            0,
            "no request could be sent"
        );
    }
}

#[tokio::test]
async fn a_port_without_tls_is_told_from_a_broken_handshake() {
    let authority = authority();
    let client = client(&authority, PoolLimits::default());
    let plain = Receiver::start(|mut stream, _| async move {
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .await
            .expect("is open");
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut rest).await;
    })
    .await;
    let closing = Receiver::start(|stream, _| async move { drop(stream) }).await;
    let breaking_off = Receiver::start(|mut stream, _| async move {
        let mut greeting = [0; 5];
        tokio::io::AsyncReadExt::read_exact(&mut stream, &mut greeting)
            .await
            .expect("is greeted");
        // The head of a handshake record of 100 bytes, and the first byte of its content.
        let begin = [22, 3, 3, 0, 100, 2];
        stream.write_all(&begin).await.expect("is open");
    })
    .await;
    let cases = [
        (plain, TlsFault::NotTls),
        (closing, TlsFault::Closed),
        (breaking_off, TlsFault::Closed),
    ];
    for (receiver, expected) in cases {
        let exchange = post(&client, &at(&receiver, "hooks.example")).await;
        assert_eq!(exchange.result, Err(Fault::Tls(expected)));
    }
}

#[tokio::test]
async fn a_handshake_that_never_ends_times_out() {
    let silent = Receiver::start(|stream, _| async move {
        let _open = stream;
        std::future::pending().await
    })
    .await;
    let client = client(&authority(), PoolLimits::default());
    let deadline = std::time::Duration::from_millis(300);
    let exchange = post_within(&client, &at(&silent, "hooks.example"), deadline).await;
    assert_eq!(exchange.result, Err(Fault::TimedOut(Phase::Securing)));
    until("it had connected", || silent.connections() == 1).await;
}

#[test]
fn an_extra_ca_file_must_hold_a_certificate() {
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let with = |pem: &str| {
        let extra_ca_pem = Some(pem.as_bytes().to_vec());
        Client::new(ClientConfig {
            extra_ca_pem,
            ..config()
        })
        .err()
    };
    assert_eq!(with(""), Some(ConfigFault::NoCertificate));
    assert_eq!(with("hello"), Some(ConfigFault::NoCertificate));
    assert!(matches!(with(broken), Some(ConfigFault::BadCertificate(_))));
    assert_eq!(with(&authority().pem()), None);
}
