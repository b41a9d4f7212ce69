//! A receiver whose every byte the test decides, and short ways to send to it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::destination::{CallbackUrl, EgressPolicy};
use egress::{Client, ClientConfig, Exchange};
use http::HeaderMap;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Far longer than anything here takes: it only ends a test that hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The shortest complete answer.
pub const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A listener on loopback that runs one script per connection.
pub struct Receiver {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    /// Listens on 127.0.0.1; `script` gets each connection and its number from 0.
    pub async fn start<F, R>(script: F) -> Receiver
    where
        F: Fn(TcpStream, usize) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        Receiver::start_at(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0), script).await
    }

    /// Listens on a given address.
    pub async fn start_at<F, R>(address: SocketAddr, script: F) -> Receiver
    where
        F: Fn(TcpStream, usize) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address)
            .await
            .expect("loopback can be listened on");
        let address = listener.local_addr().expect("is bound");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(script(stream, counter.fetch_add(1, Ordering::SeqCst)));
            }
        });
        Receiver {
            address,
            connections,
        }
    }

    /// Answers every request on every connection with the same bytes.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Receiver {
        let answer = Arc::new(answer.into());
        Receiver::start(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                while read_request(&mut stream).await.is_some() {
                    if stream.write_all(&answer).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await
    }

    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn url(&self, target: &str) -> CallbackUrl {
        url(&format!("http://{}{target}", self.address))
    }
}

/// What arrived: the head as text, and the body.
pub struct Arrived {
    pub head: String,
    pub body: Vec<u8>,
}

/// Reads one request with a content-length; nothing at the end of the connection.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Option<Arrived> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let body = bytes.split_off(end);
    let head = String::from_utf8(bytes).expect("a head is ASCII");
    let length = header(&head, "content-length")
        .expect("has a length")
        .parse()
        .expect("a number");
    let mut arrived = Arrived { head, body };
    while arrived.body.len() < length {
        if stream.read_buf(&mut arrived.body).await.ok()? == 0 {
            return None;
        }
    }
    assert_eq!(
        arrived.body.len(),
        length,
        "nothing is sent ahead of the answer"
    );
    Some(arrived)
}

/// The value of a header in a head, if it is there.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The usual configuration here: loopback may be reached.
pub fn config() -> ClientConfig {
    let policy = EgressPolicy::parse_allow("127.0.0.0/8").expect("is a network");
    ClientConfig {
        policy,
        ..ClientConfig::default()
    }
}

pub fn client() -> Client {
    Client::new(config()).expect("the defaults are good")
}

pub fn url(text: &str) -> CallbackUrl {
    CallbackUrl::parse(text).expect("is a callback URL")
}

/// POSTs `{}` with time enough.
pub async fn post(client: &Client, url: &CallbackUrl) -> Exchange {
    post_within(client, url, PATIENCE).await
}

/// POSTs `{}` with a deadline; the test fails if the deadline itself does not fire.
pub async fn post_within(client: &Client, url: &CallbackUrl, deadline: Duration) -> Exchange {
    let exchange = client.post(url, HeaderMap::new(), Bytes::from_static(b"{}"), deadline);
    tokio::time::timeout(PATIENCE * 2, exchange)
        .await
        .expect("the deadline fires")
}

/// The status of an exchange that has an answer.
pub fn status(exchange: &Exchange) -> u16 {
    exchange.result.as_ref().expect("has an answer").status
}

/// Waits until something becomes true.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"));
}
