//! Exchanges over HTTP/2: a connection is shared while there is room, and given up where it must be.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use egress::{Client, Exchange, PoolLimits, STREAMS_MAX};
use http::{HeaderMap, HeaderValue, Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::{Notify, Semaphore, mpsc};

use crate::certified::{Authority, GOOD, acceptor, at, authority, client};
use crate::receiver::{PATIENCE, Receiver, post, status, until};

/// What common servers offer.
pub const BOTH: &[&str] = &["h2", "http/1.1"];

/// What arrived, of each request.
struct Arrived {
    head: http::request::Parts,
    body: Bytes,
}

/// A server of hyper's that answers each request when it may, and allows so many at once.
struct Server {
    receiver: Receiver,
    authority: Authority,
    arrived: mpsc::UnboundedReceiver<Arrived>,
    may_answer: Arc<Semaphore>,
    stop: Arc<Notify>,
}

async fn server(streams_allowed: u32) -> Server {
    let authority = authority();
    let acceptor = acceptor(&authority, &GOOD, BOTH);
    let (sender, arrived) = mpsc::unbounded_channel();
    let may_answer = Arc::new(Semaphore::new(0));
    let stop = Arc::new(Notify::new());
    let (gate, stopped) = (may_answer.clone(), stop.clone());
    let receiver = Receiver::start(move |stream, _| {
        let (acceptor, sender) = (acceptor.clone(), sender.clone());
        let (gate, stopped) = (gate.clone(), stopped.clone());
        async move {
            let stream = acceptor.accept(stream).await.expect("is protected");
            let service = service_fn(move |request: Request<Incoming>| {
                answer(request, sender.clone(), gate.clone())
            });
            let connection = http2::Builder::new(TokioExecutor::new())
                .max_concurrent_streams(streams_allowed)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = std::pin::pin!(connection);
            tokio::select! {
                _ = &mut connection => return,
                () = stopped.notified() => connection.as_mut().graceful_shutdown(),
            }
            let _ = connection.await;
        }
    })
    .await;
    Server {
        receiver,
        authority,
        arrived,
        may_answer,
        stop,
    }
}

async fn answer(
    request: Request<Incoming>,
    sender: mpsc::UnboundedSender<Arrived>,
    gate: Arc<Semaphore>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("comes whole").to_bytes();
    let _ = sender.send(Arrived { head, body });
    gate.acquire().await.expect("is open").forget();
    Ok(Response::new(Full::new(Bytes::from_static(b"taken"))))
}

impl Server {
    fn client(&self) -> Client {
        client(&self.authority, PoolLimits::default())
    }

    async fn post(&self, client: &Client) -> Exchange {
        post(client, &at(&self.receiver, "hooks.example")).await
    }

    /// Begins so many exchanges at once.
    fn post_many(&self, client: &Client, count: usize) -> Vec<tokio::task::JoinHandle<Exchange>> {
        let url = at(&self.receiver, "hooks.example");
        let post = || {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move { post(&client, &url).await })
        };
        (0..count).map(|_| post()).collect()
    }

    async fn await_arrivals(&mut self, count: usize) {
        for number in 0..count {
            let arrival = tokio::time::timeout(PATIENCE, self.arrived.recv()).await;
            arrival.unwrap_or_else(|_| panic!("only {number} of {count} arrived"));
        }
    }
}

#[tokio::test]
async fn the_request_is_the_same_without_headers_of_the_connection() {
    let mut server = server(10).await;
    server.may_answer.add_permits(1);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", "msg_1"),
        ("connection", "close"),
        ("te", "gzip"),
        ("host", "evil.example"),
        ("accept-encoding", "gzip"),
        ("content-length", "7"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let url = at(&server.receiver, "hooks.example");
    let url = crate::receiver::url(&format!("{url}a/b?c=d"));
    // Far more than the receiver takes unread.
    let sent = Bytes::from(vec![b'a'; 1_048_576]);
    let exchange = server
        .client()
        .post(&url, headers, sent.clone(), PATIENCE)
        .await;
    let answer = exchange.result.expect("an answer");
    assert_eq!((answer.status, &answer.body[..]), (200, &b"taken"[..]));
    let Arrived { head, body } = server.arrived.recv().await.expect("arrived");
    assert_eq!(
        (head.version, head.method.as_str()),
        (Version::HTTP_2, "POST")
    );
    assert_eq!(head.uri.to_string(), url.as_str());
    assert!(body == sent, "byte for byte");
    let mut names: Vec<&str> = head.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "webhook-id"]);
    assert_eq!(head.headers["content-length"], "1048576");
}

#[tokio::test]
async fn one_connection_carries_concurrent_exchanges() {
    let mut server = server(200).await;
    let client = server.client();
    server.may_answer.add_permits(1);
    assert!(!server.post(&client).await.reused);
    assert_eq!(client.idle_connections(), 1);
    server.await_arrivals(1).await;

    let exchanges = server.post_many(&client, STREAMS_MAX);
    server.await_arrivals(STREAMS_MAX).await;
    assert_eq!(
        server.receiver.connections(),
        1,
        "all are under way at once"
    );
    assert_eq!(client.idle_connections(), 0);
    let one_more = server.post_many(&client, 1);
    server.await_arrivals(1).await;
    assert_eq!(
        server.receiver.connections(),
        2,
        "a full one is not burdened further"
    );

    server.may_answer.add_permits(STREAMS_MAX + 1);
    for exchange in exchanges {
        let exchange = exchange.await.expect("ends");
        assert_eq!((status(&exchange), exchange.reused), (200, true));
        assert!(exchange.timing.tls.is_none() && exchange.address.is_some());
    }
    for exchange in one_more {
        assert!(!exchange.await.expect("ends").reused);
    }
    until("both are idle", || client.idle_connections() == 2).await;
}

#[tokio::test]
async fn no_more_exchanges_share_a_connection_than_the_receiver_allows() {
    let mut server = server(3).await;
    let client = server.client();
    server.may_answer.add_permits(2);
    // The receiver tells its limit in the first exchange; it is looked at when the second begins.
    for _ in 0..2 {
        assert_eq!(status(&server.post(&client).await), 200);
    }
    server.await_arrivals(2).await;
    let exchanges = server.post_many(&client, 3);
    server.await_arrivals(3).await;
    assert_eq!(server.receiver.connections(), 1);
    let fourth = server.post_many(&client, 1);
    server.await_arrivals(1).await;
    assert_eq!(server.receiver.connections(), 2);
    server.may_answer.add_permits(4);
    for exchange in exchanges.into_iter().chain(fourth) {
        assert_eq!(status(&exchange.await.expect("ends")), 200);
    }
}

#[tokio::test]
async fn an_old_connection_gets_one_successor_and_is_left_for_it() {
    let mut server = server(200).await;
    let client = server.client();
    let url = at(&server.receiver, "hooks.example");
    let other = client.clone();
    let lasting = tokio::spawn(async move {
        let (headers, body) = (HeaderMap::new(), Bytes::from_static(b"{}"));
        let deadline = Duration::from_secs(1_000);
        other.post(&url, headers, body, deadline).await
    });
    server.await_arrivals(1).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(241)).await;
    tokio::time::resume();
    let exchanges = server.post_many(&client, 10);
    server.await_arrivals(10).await;
    assert_eq!(server.receiver.connections(), 2);
    server.may_answer.add_permits(11);
    for exchange in exchanges {
        assert_eq!(status(&exchange.await.expect("ends")), 200);
    }
    assert_eq!(status(&lasting.await.expect("ends")), 200);
    server.may_answer.add_permits(1);
    server.post(&client).await;
    assert_eq!(server.receiver.connections(), 2);
}

#[tokio::test]
async fn a_connection_is_kept_within_the_bounds_of_the_pool() {
    let server = server(10).await;
    server.may_answer.add_permits(100);
    let bounds = [
        PoolLimits {
            idle: 0,
            ..PoolLimits::default()
        },
        PoolLimits {
            idle_per_origin: 0,
            ..PoolLimits::default()
        },
        PoolLimits {
            idle_for: Duration::ZERO,
            ..PoolLimits::default()
        },
    ];
    for (number, pool) in bounds.into_iter().enumerate() {
        let client = client(&server.authority, pool);
        for _ in 0..3 {
            let exchange = server.post(&client).await;
            assert!(status(&exchange) == 200 && !exchange.reused);
        }
        assert_eq!(server.receiver.connections(), 3 * (number + 1));
    }
}

#[tokio::test]
async fn a_receiver_that_is_going_away_costs_no_delivery() {
    let mut server = server(10).await;
    let client = server.client();
    server.may_answer.add_permits(1);
    assert_eq!(status(&server.post(&client).await), 200);
    server.await_arrivals(1).await;
    // One is under way when the receiver goes; it is answered still, and further ones go elsewhere.
    let last = server.post_many(&client, 1);
    server.await_arrivals(1).await;
    server.stop.notify_one();
    let next = server.post_many(&client, 5);
    server.may_answer.add_permits(6);
    for exchange in last.into_iter().chain(next) {
        assert_eq!(status(&exchange.await.expect("ends")), 200);
    }
    server.await_arrivals(5).await;
    assert!(server.arrived.try_recv().is_err(), "none came twice");
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_is_not_used() {
    let server = server(10).await;
    let client = server.client();
    server.may_answer.add_permits(10);
    for number in 1..=5 {
        let exchange = server.post(&client).await;
        assert_eq!((status(&exchange), exchange.reused), (200, false));
        assert_eq!(server.receiver.connections(), number);
        server.stop.notify_one();
        until("the close is noticed", || client.idle_connections() == 0).await;
    }
}

#[tokio::test]
async fn a_connection_that_is_idle_is_closed_when_told_to_and_one_in_use_after_its_last_exchange() {
    let ended = Arc::new(AtomicUsize::new(0));
    let authority = authority();
    let acceptor = acceptor(&authority, &GOOD, BOTH);
    let (script_ended, gate) = (ended.clone(), Arc::new(Semaphore::new(1)));
    let (may_answer, (sender, mut arrived)) = (gate.clone(), mpsc::unbounded_channel());
    let receiver = Receiver::start(move |stream, _| {
        let (acceptor, ended) = (acceptor.clone(), script_ended.clone());
        let (gate, sender) = (gate.clone(), sender.clone());
        async move {
            let stream = acceptor.accept(stream).await.expect("is protected");
            let service = service_fn(move |request| answer(request, sender.clone(), gate.clone()));
            let connection = http2::Builder::new(TokioExecutor::new());
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
            ended.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let client = client(&authority, PoolLimits::default());
    let url = at(&receiver, "hooks.example");
    assert_eq!(status(&post(&client, &url).await), 200);
    arrived.recv().await.expect("the first");
    let other = client.clone();
    let busy = tokio::spawn(async move { post(&other, &url).await });
    arrived.recv().await.expect("the second");
    client.close_idle();
    assert_eq!(ended.load(Ordering::SeqCst), 0, "one is under way");
    may_answer.add_permits(1);
    assert_eq!(status(&busy.await.expect("ends")), 200);
    until("it is closed", || ended.load(Ordering::SeqCst) == 1).await;
}
