//! Reuse of connections, and its bounds.

use std::sync::Arc;
use std::time::Duration;

use egress::{Client, ClientConfig, Fault, PoolLimits};
use tokio::io::AsyncWriteExt;
use tokio::sync::{Barrier, Notify};

use crate::receiver::{
    OK, Receiver, client, config, post, post_within, read_request, status, until, url,
};

#[tokio::test]
async fn one_connection_serves_one_exchange_after_another() {
    let receiver = Receiver::answering(OK).await;
    let client = client();
    for number in 0..50 {
        let exchange = post(&client, &receiver.url("/")).await;
        assert_eq!(status(&exchange), 200);
        assert_eq!(exchange.reused, number > 0, "exchange {number}");
        assert_eq!(exchange.address, Some(receiver.address));
        assert_eq!(
            exchange.timing.connect.is_some(),
            number == 0,
            "exchange {number}"
        );
        assert!(exchange.timing.first_byte.is_some());
        assert_eq!(client.idle_connections(), 1);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_exchanges_open_no_more_connections_than_there_are_exchanges() {
    let receiver = Receiver::answering(OK).await;
    let client = client();
    let url = receiver.url("/");
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let (client, url) = (client.clone(), url.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..50 {
                assert_eq!(status(&post(&client, &url).await), 200);
            }
        }));
    }
    for task in tasks {
        task.await.expect("no exchange failed");
    }
    assert!(
        receiver.connections() <= 64,
        "{} connections",
        receiver.connections()
    );
    assert_eq!(
        client.idle_connections(),
        receiver.connections(),
        "all are kept"
    );
}

/// Answers once on each connection and closes it when told to.
async fn closing_when_told(close: Arc<Notify>) -> Receiver {
    Receiver::start(move |mut stream, _| {
        let close = close.clone();
        async move {
            if read_request(&mut stream).await.is_some() {
                stream.write_all(OK).await.expect("is open");
                close.notified().await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_costs_no_delivery() {
    let close = Arc::new(Notify::new());
    let receiver = closing_when_told(close.clone()).await;
    let client = client();
    for number in 1..=20 {
        let exchange = post(&client, &receiver.url("/")).await;
        assert_eq!((status(&exchange), exchange.reused), (200, false));
        assert_eq!(
            (client.idle_connections(), receiver.connections()),
            (1, number)
        );
        close.notify_one();
        until("the close is noticed", || client.idle_connections() == 0).await;
    }
}

#[tokio::test]
async fn a_request_that_crosses_the_close_is_sent_once_at_most() {
    let close = Arc::new(Notify::new());
    let receiver = closing_when_told(close.clone()).await;
    let client = client();
    assert_eq!(status(&post(&client, &receiver.url("/")).await), 200);
    close.notify_one();
    // Whether the close or the request comes first is a race. A request that hyper gives back goes out
    // on a fresh connection; the fate of one that was written is unknown, and the fault says so.
    let second = post(&client, &receiver.url("/")).await;
    match &second.result {
        Ok(answer) => {
            assert_eq!((answer.status, second.reused), (200, false));
            assert_eq!(receiver.connections(), 2);
        }
        Err(fault) => {
            assert_eq!((fault, second.reused), (&Fault::Closed, true));
            assert_eq!(receiver.connections(), 1);
        }
    }
}

#[tokio::test]
async fn what_must_not_be_reused_is_not() {
    let answers: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 20000\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    ];
    for answer in answers {
        let receiver = Receiver::answering(answer).await;
        let client = client();
        for _ in 0..2 {
            let exchange =
                post_within(&client, &receiver.url("/"), Duration::from_millis(200)).await;
            assert!(exchange.result.is_ok() && !exchange.reused);
            assert_eq!(
                client.idle_connections(),
                0,
                "{}",
                String::from_utf8_lossy(answer)
            );
        }
        assert_eq!(receiver.connections(), 2);
    }
}

#[tokio::test]
async fn connections_are_shared_by_scheme_host_and_port_only() {
    let receiver = Receiver::answering(OK).await;
    let client = client();
    let port = receiver.address.port();
    let same = [
        format!("http://127.0.0.1:{port}/a"),
        format!("http://2130706433:{port}/b?c"),
    ];
    for text in &same {
        assert_eq!(status(&post(&client, &url(text)).await), 200);
    }
    assert_eq!(receiver.connections(), 1, "two spellings of one origin");
    assert_eq!(
        status(&post(&client, &url(&format!("http://localhost:{port}/"))).await),
        200
    );
    assert_eq!(
        receiver.connections(),
        2,
        "another host, though at the same address"
    );
}

#[tokio::test]
async fn idle_connections_are_bounded_by_origin_and_in_all() {
    let cases = [((2, 100), 2), ((100, 3), 3), ((0, 100), 0), ((100, 0), 0)];
    for ((idle_per_origin, idle), expected) in cases {
        let meeting = Arc::new(Barrier::new(5));
        let receiver = Receiver::start(move |mut stream, _| {
            let meeting = meeting.clone();
            async move {
                while read_request(&mut stream).await.is_some() {
                    meeting.wait().await;
                    stream.write_all(OK).await.expect("is open");
                }
            }
        })
        .await;
        let pool = PoolLimits {
            idle_per_origin,
            idle,
            ..PoolLimits::default()
        };
        let client = Client::new(ClientConfig { pool, ..config() }).expect("is good");
        let url = receiver.url("/");
        let all = [(); 5].map(|()| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move { status(&post(&client, &url).await) })
        });
        for one in all {
            assert_eq!(one.await.expect("has a status"), 200);
        }
        assert_eq!(
            client.idle_connections(),
            expected,
            "{idle_per_origin} and {idle}"
        );
    }
}

#[tokio::test]
async fn a_connection_that_was_idle_for_too_long_is_not_used() {
    let receiver = Receiver::answering(OK).await;
    let pool = PoolLimits {
        idle_for: Duration::ZERO,
        ..PoolLimits::default()
    };
    let client = Client::new(ClientConfig { pool, ..config() }).expect("is good");
    for _ in 0..3 {
        let exchange = post(&client, &receiver.url("/")).await;
        assert!(status(&exchange) == 200 && !exchange.reused);
    }
    assert_eq!(receiver.connections(), 3);
}

#[tokio::test]
async fn closing_idle_connections_reaches_the_receiver() {
    let ended = Arc::new(Notify::new());
    let script_ended = ended.clone();
    let receiver = Receiver::start(move |mut stream, _| {
        let ended = script_ended.clone();
        async move {
            while read_request(&mut stream).await.is_some() {
                stream.write_all(OK).await.expect("is open");
            }
            ended.notify_one();
        }
    })
    .await;
    let client = client();
    assert_eq!(status(&post(&client, &receiver.url("/")).await), 200);
    client.close_idle();
    assert_eq!(client.idle_connections(), 0);
    tokio::time::timeout(crate::receiver::PATIENCE, ended.notified())
        .await
        .expect("is closed");
}
