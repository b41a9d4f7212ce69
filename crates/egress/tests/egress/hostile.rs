//! Receivers that misbehave: the deadline and the bounds hold, and a status that came stands.

use std::future::pending;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use egress::{Answer, ConnectFault, Exchange, Fault, Phase, ProtocolFault};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::receiver::{Receiver, client, post, post_within, read_request, until, url};

/// Long enough for a loopback exchange on a busy machine, short enough to wait for in a test.
const DEADLINE: Duration = Duration::from_millis(400);

/// Answers with these bytes and then stays silent with the connection open.
async fn falling_silent_after(bytes: &'static [u8]) -> Receiver {
    Receiver::start(move |mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(bytes).await.expect("is open");
        pending().await
    })
    .await
}

/// Answers with these bytes, then again and again with those, as slowly as `pause` says.
async fn repeating(first: &'static [u8], then: &'static [u8], pause: Duration) -> Receiver {
    Receiver::start(move |mut stream, _| async move {
        read_request(&mut stream).await;
        let mut beat = tokio::time::interval(pause);
        let mut result = stream.write_all(first).await;
        while result.is_ok() {
            beat.tick().await;
            result = stream.write_all(then).await;
        }
    })
    .await
}

/// Answers with these bytes and closes.
async fn closing_after(bytes: &'static [u8]) -> Receiver {
    Receiver::start(move |mut stream, _| async move {
        read_request(&mut stream).await;
        stream.write_all(bytes).await.expect("is open");
    })
    .await
}

fn timed_out(exchange: &Exchange) -> Phase {
    assert!(exchange.timing.total >= DEADLINE, "not before its time");
    match &exchange.result {
        Err(Fault::TimedOut(phase)) => *phase,
        other => panic!("should have timed out: {other:?}"),
    }
}

fn cut_off(exchange: Exchange) -> Answer {
    let answer = exchange.result.expect("the status came");
    assert!(answer.body_truncated);
    answer
}

#[tokio::test]
async fn a_head_that_does_not_end_times_out() {
    let client = client();
    let pause = Duration::from_millis(10);
    let receivers = [
        falling_silent_after(b"").await,
        falling_silent_after(b"HTTP/1.1 200 OK\r\ncontent-le").await,
        falling_silent_after(b"HTTP/1.1 100 Continue\r\n\r\n").await,
        repeating(b"HTTP/1.1 200 OK\r\nx: ", b"a", pause).await,
        repeating(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause).await,
        repeating(
            b"",
            b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
            pause,
        )
        .await,
    ];
    for receiver in receivers {
        let exchange = post_within(&client, &receiver.url("/"), DEADLINE).await;
        assert_eq!(timed_out(&exchange), Phase::Answering);
        assert_eq!(exchange.result.expect_err("timed out").slug(), "timed-out");
        assert_eq!(client.idle_connections(), 0);
    }
}

#[tokio::test]
async fn a_body_that_does_not_end_leaves_the_status_standing() {
    let client = client();
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n";
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let pause = Duration::from_millis(10);
    let receivers = [
        falling_silent_after(head).await,
        falling_silent_after(chunked).await,
        falling_silent_after(b"HTTP/1.1 200 OK\r\n\r\n").await,
        repeating(chunked, b"1\r\na\r\n", pause).await,
    ];
    for receiver in receivers {
        let exchange = post_within(&client, &receiver.url("/"), DEADLINE).await;
        assert!(
            exchange.timing.total >= DEADLINE,
            "waits for the body while it may"
        );
        assert_eq!(cut_off(exchange).status, 200);
        assert_eq!(client.idle_connections(), 0);
    }
}

#[tokio::test]
async fn what_has_come_of_a_slow_body_is_kept() {
    let receiver =
        falling_silent_after(b"HTTP/1.1 503 No\r\ncontent-length: 100\r\n\r\nso far").await;
    let answer = cut_off(post_within(&client(), &receiver.url("/"), DEADLINE).await);
    assert_eq!((answer.status, &answer.body[..]), (503, &b"so far"[..]));
}

#[tokio::test]
async fn an_endless_body_is_left_after_16_kib_and_the_connection_is_cut() {
    let heads: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 999999999999\r\n\r\n",
    ];
    for head in heads {
        let ended = Arc::new(AtomicUsize::new(0));
        let script_ended = ended.clone();
        let receiver = Receiver::start(move |mut stream, _| {
            let ended = script_ended.clone();
            async move {
                read_request(&mut stream).await;
                let mut result = stream.write_all(head).await;
                while result.is_ok() {
                    result = stream.write_all(&[b'a'; 65_536]).await;
                }
                ended.fetch_add(1, Ordering::SeqCst);
            }
        })
        .await;
        let client = client();
        let answer = cut_off(post(&client, &receiver.url("/")).await);
        assert_eq!((answer.status, answer.body.len()), (200, 4_096));
        until("the receiver sees the end", || {
            ended.load(Ordering::SeqCst) == 1
        })
        .await;
    }
}

#[tokio::test]
async fn a_body_that_breaks_leaves_the_status_standing() {
    let cases: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzzz\r\n",
    ];
    for bytes in cases {
        let receiver = closing_after(bytes).await;
        let client = client();
        let answer = cut_off(post(&client, &receiver.url("/")).await);
        assert_eq!((answer.status, &answer.body[..]), (200, &b"half"[..]));
        assert_eq!(client.idle_connections(), 0);
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_head_is_complete_is_a_fault() {
    for bytes in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
        b"HTTP/1.",
    ] {
        let receiver = closing_after(bytes).await;
        let fault = post(&client(), &receiver.url("/"))
            .await
            .result
            .expect_err("no head");
        assert_eq!(
            (&fault, fault.slug()),
            (&Fault::Closed, "connection-closed")
        );
    }
    let before_reading = Receiver::start(|stream, _| async move { drop(stream) }).await;
    let fault = post(&client(), &before_reading.url("/"))
        .await
        .result
        .expect_err("no head");
    assert_eq!(fault, Fault::Closed);
}

#[tokio::test]
async fn what_is_not_http_is_a_fault() {
    let cases: [&[u8]; 6] = [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"hello\r\n\r\n",
        b"HTTP/1.1 20x Odd\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\r\n\r\n",
    ];
    for bytes in cases {
        let receiver = closing_after(bytes).await;
        let fault = post(&client(), &receiver.url("/"))
            .await
            .result
            .expect_err("is no HTTP");
        assert_eq!(
            fault.slug(),
            "answer-not-http",
            "{fault}: {}",
            bytes.escape_ascii()
        );
        assert_eq!(receiver.connections(), 1, "is not tried again");
    }
}

#[tokio::test]
async fn a_flood_of_headers_is_a_fault() {
    let long_line = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 20_000]].concat();
    let many = ["HTTP/1.1 200 OK\r\n", &"a: b\r\n".repeat(101), "\r\n"]
        .concat()
        .into_bytes();
    for bytes in [long_line, many] {
        let receiver = Receiver::answering(bytes).await;
        let fault = post(&client(), &receiver.url("/"))
            .await
            .result
            .expect_err("is too large");
        assert_eq!(fault, Fault::Protocol(ProtocolFault::HeadTooLarge));
    }
    for endless in [
        &[b'a'; 4_096][..],
        b"a: b\r\nc: d\r\ne: f\r\ng: h\r\ni: j\r\n",
    ] {
        let pause = Duration::from_millis(1);
        let receiver = repeating(b"HTTP/1.1 200 OK\r\n", endless, pause).await;
        let fault = post(&client(), &receiver.url("/"))
            .await
            .result
            .expect_err("is too large");
        assert_eq!(fault, Fault::Protocol(ProtocolFault::HeadTooLarge));
    }
}

#[tokio::test]
async fn a_port_where_nothing_listens_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let address = listener.local_addr().expect("is bound");
    drop(listener);
    let exchange = post(&client(), &url(&format!("http://{address}/"))).await;
    assert_eq!(exchange.address, Some(address), "what was tried is told");
    let fault = exchange.result.expect_err("nothing listens");
    assert_eq!(fault, Fault::Connect(ConnectFault::Refused));
    assert_eq!(fault.slug(), "connection-refused");
}

#[tokio::test]
async fn a_host_that_never_accepts_times_out_while_connecting() {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket
        .bind("127.0.0.1:0".parse().expect("an address"))
        .expect("loopback");
    let listener = socket.listen(1).expect("listens");
    let address = listener.local_addr().expect("is bound");
    // Connections pile up until the listener's queue is full and the next one hangs.
    let mut queued = Vec::new();
    loop {
        match tokio::time::timeout(DEADLINE, TcpStream::connect(address)).await {
            Ok(stream) => queued.push(stream.expect("is queued")),
            Err(_) => break,
        }
        assert!(queued.len() < 64, "the queue is never full");
    }
    let exchange = post_within(&client(), &url(&format!("http://{address}/")), DEADLINE).await;
    assert_eq!(timed_out(&exchange), Phase::Connecting);
}

#[tokio::test]
async fn a_receiver_that_never_reads_times_out() {
    let receiver = Receiver::start(|stream, _| async move {
        let _open = stream;
        pending().await
    })
    .await;
    let client = client();
    let body = bytes::Bytes::from(vec![b'a'; 32 * 1_024 * 1_024]);
    let headers = http::HeaderMap::new();
    let exchange = client
        .post(&receiver.url("/"), headers, body, DEADLINE)
        .await;
    assert_eq!(timed_out(&exchange), Phase::Answering);
}

#[tokio::test]
async fn a_given_up_connection_is_closed_at_once() {
    let ended = Arc::new(AtomicUsize::new(0));
    let script_ended = ended.clone();
    let receiver = Receiver::start(move |mut stream, _| {
        let ended = script_ended.clone();
        async move {
            read_request(&mut stream).await;
            // Nothing more may come but the end, as a close or a reset.
            let next = stream.peek(&mut [0]).await.map_err(|error| error.kind());
            assert!(
                matches!(next, Ok(0) | Err(ErrorKind::ConnectionReset)),
                "{next:?}"
            );
            ended.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let exchange = post_within(&client(), &receiver.url("/"), DEADLINE).await;
    assert_eq!(timed_out(&exchange), Phase::Answering);
    until("the receiver sees the end", || {
        ended.load(Ordering::SeqCst) == 1
    })
    .await;
}
