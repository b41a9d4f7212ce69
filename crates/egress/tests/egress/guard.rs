//! The egress guard: what is refused is never connected to, and what was checked is what is reached.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::destination::{CallbackUrl, EgressPolicy};
use egress::{Client, ClientConfig, Fault, Phase, PoolLimits, Resolver};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::receiver::{OK, Receiver, client, config, post, post_within, read_request, status, url};

/// Enough for a race to show, if there were one.
const EXCHANGES: usize = 10_000;

/// A resolver that answers look-up number `n` with `answers[n % len]`, and how often it was asked.
pub fn scripted(answers: Vec<Vec<&'static str>>) -> (Resolver, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = asked.clone();
    let resolver = Resolver::scripted(move |_| {
        let answer = &answers[counter.fetch_add(1, Ordering::SeqCst) % answers.len()];
        let addresses = answer
            .iter()
            .map(|text| text.parse().expect("an address"))
            .collect();
        Box::pin(async move { Ok(addresses) })
    });
    (resolver, asked)
}

pub fn client_with(allow: &str, resolver: Resolver) -> Client {
    let policy = EgressPolicy::parse_allow(allow).expect("is well-formed");
    let pool = PoolLimits {
        idle: 0,
        ..PoolLimits::default()
    };
    Client::new(ClientConfig {
        policy,
        resolver,
        pool,
        ..config()
    })
    .expect("is good")
}

pub async fn answer_ok(mut stream: TcpStream, _: usize) {
    while read_request(&mut stream).await.is_some() {
        stream.write_all(OK).await.expect("is open");
    }
}

/// Two receivers on one port: at 127.0.0.1, and the canary at 127.0.0.2.
async fn receiver_and_canary() -> (Receiver, Receiver) {
    receiver_and_canary_with(answer_ok).await
}

async fn receiver_and_canary_with<F, R>(script: F) -> (Receiver, Receiver)
where
    F: Fn(TcpStream, usize) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    loop {
        let receiver = Receiver::start(script.clone()).await;
        let canary = SocketAddr::new(IpAddr::from([127, 0, 0, 2]), receiver.address.port());
        if std::net::TcpListener::bind(canary).is_ok() {
            return (receiver, Receiver::start_at(canary, answer_ok).await);
        }
    }
}

fn named(receiver: &Receiver) -> CallbackUrl {
    url(&format!(
        "http://hooks.example:{}/",
        receiver.address.port()
    ))
}

#[tokio::test]
async fn one_refused_address_refuses_the_whole_name() {
    let (receiver, canary) = receiver_and_canary().await;
    let mixes: [&[&str]; 6] = [
        &["127.0.0.2"],
        &["127.0.0.1", "127.0.0.2"],
        &["127.0.0.2", "127.0.0.1"],
        &["127.0.0.1", "::ffff:127.0.0.2"],
        &["127.0.0.1", "169.254.169.254"],
        &[
            "127.0.0.1",
            "127.0.0.1",
            "127.0.0.1",
            "127.0.0.1",
            "127.0.0.1",
            "::1",
        ],
    ];
    for mix in mixes {
        let (resolver, _) = scripted(vec![mix.to_vec()]);
        let exchange = post(&client_with("127.0.0.1", resolver), &named(&receiver)).await;
        let fault = exchange.result.expect_err("is refused");
        assert_eq!(fault.slug(), "address-refused", "{mix:?}");
        assert_eq!(exchange.address, None, "nothing was connected to");
    }
    assert_eq!((receiver.connections(), canary.connections()), (0, 0));
}

#[tokio::test]
async fn literal_addresses_and_localhost_are_checked_without_a_look_up() {
    let (resolver, asked) = scripted(vec![vec!["8.8.8.8"]]);
    let canary = Receiver::start(answer_ok).await;
    let client = client_with("", resolver);
    for host in [
        "127.0.0.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "localhost",
        "0",
    ] {
        let target = url(&format!("http://{host}:{}/", canary.address.port()));
        let fault = post(&client, &target).await.result.expect_err("is refused");
        assert_eq!(fault.slug(), "address-refused", "{host}");
    }
    assert_eq!((asked.load(Ordering::SeqCst), canary.connections()), (0, 0));
}

#[tokio::test]
async fn a_name_that_changes_its_address_never_reaches_a_refused_one() {
    let (receiver, canary) = receiver_and_canary().await;
    let (resolver, asked) = scripted(vec![vec!["127.0.0.1"], vec!["127.0.0.2"]]);
    let client = client_with("127.0.0.1", resolver);
    let target = named(&receiver);
    for number in 0..EXCHANGES {
        let exchange = post(&client, &target).await;
        match number % 2 {
            0 => assert_eq!(exchange.address, Some(receiver.address)),
            _ => assert!(matches!(exchange.result, Err(Fault::Refused(_)))),
        }
    }
    let asked = asked.load(Ordering::SeqCst);
    assert_eq!(asked, EXCHANGES, "one look-up decides one exchange");
    let connections = (receiver.connections(), canary.connections());
    assert_eq!(connections, (EXCHANGES / 2, 0));
}

#[tokio::test]
async fn a_kept_connection_stays_with_the_address_that_was_checked() {
    // The receiver closes now and then, so that look-ups fall between exchanges over kept connections.
    let (receiver, canary) = receiver_and_canary_with(|mut stream, number| async move {
        for _ in 0..=number % 5 {
            if read_request(&mut stream).await.is_none() {
                return;
            }
            stream.write_all(OK).await.expect("is open");
        }
        read_request(&mut stream).await;
    })
    .await;
    let (resolver, asked) = scripted(vec![vec!["127.0.0.1"], vec!["127.0.0.2"], vec!["::1"]]);
    let policy = EgressPolicy::parse_allow("127.0.0.1").expect("is well-formed");
    let client = Client::new(ClientConfig {
        policy,
        resolver,
        ..config()
    })
    .expect("is good");
    let target = named(&receiver);
    let (mut reused, mut refused) = (0, 0);
    for _ in 0..EXCHANGES {
        let exchange = post(&client, &target).await;
        reused += usize::from(exchange.reused);
        match exchange.result {
            Err(Fault::Refused(_)) => {
                refused += 1;
                assert_eq!(exchange.address, None);
            }
            _ => assert_eq!(exchange.address, Some(receiver.address)),
        }
    }
    assert_eq!(canary.connections(), 0);
    assert!(
        reused > 0 && refused > 0,
        "{reused} reused, {refused} refused"
    );
    let look_ups = receiver.connections() + refused;
    assert_eq!(asked.load(Ordering::SeqCst), look_ups);
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let (receiver, other) = receiver_and_canary().await;
    let (resolver, _) = scripted(vec![vec!["127.0.0.1"], vec!["127.0.0.2"]]);
    let client = client_with("127.0.0.0/8", resolver);
    for expected in [receiver.address, other.address, receiver.address] {
        let exchange = post(&client, &named(&receiver)).await;
        assert_eq!((status(&exchange), exchange.address), (200, Some(expected)));
        assert!(exchange.timing.resolve.is_some());
    }
    assert_eq!((receiver.connections(), other.connections()), (2, 1));
}

#[tokio::test]
async fn addresses_are_tried_in_order_until_one_connects() {
    let receiver = Receiver::start(answer_ok).await;
    let (resolver, _) = scripted(vec![vec![
        "127.0.0.9",
        "127.0.0.8",
        "127.0.0.1",
        "127.0.0.7",
    ]]);
    let exchange = post(&client_with("127.0.0.0/8", resolver), &named(&receiver)).await;
    assert_eq!(
        (status(&exchange), exchange.address),
        (200, Some(receiver.address))
    );
}

#[tokio::test]
async fn localhost_goes_to_the_loopback_address_that_is_allowed() {
    let receiver = Receiver::start(answer_ok).await;
    let target = url(&format!("http://localhost:{}/", receiver.address.port()));
    let exchange = post(&client(), &target).await;
    assert_eq!(
        (status(&exchange), exchange.address),
        (200, Some(receiver.address))
    );
}

#[tokio::test]
async fn a_name_without_address_is_a_fault() {
    let failing = Resolver::scripted(|_| Box::pin(async { Err(std::io::Error::other("no name")) }));
    for resolver in [failing, scripted(vec![vec![]]).0] {
        let exchange = post(&client_with("", resolver), &url("http://hooks.example/")).await;
        assert_eq!(
            exchange.result.expect_err("no address").slug(),
            "name-not-resolved"
        );
    }
    // RFC 6761 section 6.4: this name never resolves, with or without a name server at hand.
    let system = client_with("", Resolver::system());
    let exchange = post(&system, &url("http://nowhere.invalid/")).await;
    assert_eq!(
        exchange.result.expect_err("no address").slug(),
        "name-not-resolved"
    );
}

#[tokio::test]
async fn a_look_up_that_never_ends_times_out() {
    let client = client_with("", Resolver::scripted(|_| Box::pin(pending())));
    let deadline = Duration::from_millis(50);
    let exchange = post_within(&client, &url("http://hooks.example/"), deadline).await;
    assert_eq!(exchange.result, Err(Fault::TimedOut(Phase::Resolving)));
}
