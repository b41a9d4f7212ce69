//! What a receiver keeps of what arrives, and how a test waits for it.

use std::time::Duration;

use domain::signature::{SigningSecret, SigningSecrets, sign};
use domain::signing_key::SigningKeys;
use domain::time::Clock;
use testkit::{Gate, ManualClock, Receiver, Reply, Unverified};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{post, status};

#[tokio::test]
async fn requests_are_kept_whole_in_the_order_of_arrival() {
    let receiver = Receiver::start().await;
    post(&receiver, "/a?x=1&y=2", "first").await.expect("200");
    post(&receiver, "/b", "second").await.expect("200");
    let requests = receiver.requests();
    let kept: Vec<_> = requests
        .iter()
        .map(|one| (one.path.as_str(), one.query.as_deref(), &one.body[..]))
        .collect();
    assert_eq!(
        kept,
        [
            ("/a", Some("x=1&y=2"), &b"first"[..]),
            ("/b", None, b"second")
        ]
    );
    assert_eq!(requests[0].method, http::Method::POST);
    assert_eq!(requests[0].header("Webhook-Id"), Some("msg_1"));
    assert_eq!(requests[0].header("absent"), None);
}

#[tokio::test]
async fn one_connection_may_carry_several_requests() {
    let receiver = Receiver::start().await;
    let mut stream = TcpStream::connect(receiver.address()).await.expect("open");
    for number in 1..=3 {
        stream
            .write_all(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}")
            .await
            .expect("sent");
        let mut head = [0; 15];
        stream.read_exact(&mut head).await.expect("an answer");
        assert_eq!(&head, b"HTTP/1.1 200 OK");
        let mut rest = Vec::new();
        while !rest.ends_with(b"\r\n\r\n") {
            rest.push(stream.read_u8().await.expect("the rest of the head"));
        }
        assert_eq!(receiver.requests().len(), number);
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_whole_is_not_kept() {
    let receiver = Receiver::start().await;
    let mut stream = TcpStream::connect(receiver.address()).await.expect("open");
    stream
        .write_all(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{}")
        .await
        .expect("sent");
    stream.shutdown().await.expect("closed");
    let mut answer = Vec::new();
    // Whether the end comes as such or as a reset is up to the system.
    let _ = stream.read_to_end(&mut answer).await;
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn waiting_ends_with_the_request_that_meets_the_condition() {
    let receiver = Receiver::start().await;
    let (requests, ()) = tokio::join!(
        receiver.wait_for(|requests| requests.iter().any(|one| one.path == "/b")),
        async {
            for path in ["/a", "/b"] {
                status(&receiver, path).await;
            }
        }
    );
    assert!(requests.iter().any(|one| one.path == "/b"));
    assert_eq!(receiver.wait_for_count(2).await.len(), 2);
}

#[tokio::test]
async fn unanswered_requests_are_counted_by_path() {
    let receiver = Receiver::start().await;
    let gate = Gate::default();
    receiver.reply_at("/a", Reply::from(200).after(&gate));
    let (first, second, ()) =
        tokio::join!(status(&receiver, "/a"), status(&receiver, "/a"), async {
            receiver.wait_for_count(2).await;
            assert_eq!(receiver.in_flight("/a"), 2);
            assert_eq!(receiver.in_flight("/b"), 0);
            gate.release();
        });
    assert_eq!((first, second), (200, 200));
    status(&receiver, "/a").await;
    assert_eq!(receiver.in_flight("/a"), 0);
    assert_eq!(receiver.in_flight_most("/a"), 2);
}

#[tokio::test]
async fn a_client_that_gives_up_is_no_longer_in_flight() {
    let receiver = Receiver::start().await;
    receiver.reply(Reply::Silence);
    tokio::select! {
        answer = post(&receiver, "/a", "{}") => assert!(answer.is_err(), "nothing was answered"),
        _ = receiver.wait_for_count(1) => {}
    }
    // Waits for the receiver to see that the connection is gone.
    let gone = async {
        while receiver.in_flight("/a") > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone)
        .await
        .expect("the receiver sees the connection go");
    assert_eq!(receiver.in_flight_most("/a"), 1);
}

#[tokio::test]
async fn a_dropped_receiver_no_longer_listens() {
    let receiver = Receiver::start().await;
    let address = receiver.address();
    status(&receiver, "/").await;
    drop(receiver);
    let refused = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), refused)
        .await
        .expect("the port is closed");
}

#[tokio::test]
async fn a_signed_request_is_verified_and_a_changed_one_is_not() {
    let receiver = Receiver::start().await;
    let clock = ManualClock::default();
    let secret = SigningSecret::from_bytes(&[7; 32]).expect("a secret");
    let text = secret.to_text();
    let secrets = SigningSecrets {
        current: secret,
        previous: None,
        keys: SigningKeys::default(),
    };
    let signed = sign(&secrets, clock.now(), "msg_9", b"{}");
    let request = format!(
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nwebhook-id: msg_9\r\n\
         webhook-timestamp: {}\r\nwebhook-signature: {}\r\n\r\n{{}}",
        signed.timestamp, signed.signature
    );
    let mut stream = TcpStream::connect(receiver.address()).await.expect("open");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut request = receiver.wait_for_count(1).await.remove(0);
    assert_eq!(request.verify(&text, clock.now()), Ok(()));
    clock.advance(Duration::from_secs(600));
    assert_eq!(
        request.verify(&text, clock.now()),
        Err(Unverified::Tolerance(signed.timestamp))
    );
    request.body = bytes::Bytes::from_static(b"[]");
    clock.set(ManualClock::BEGIN);
    assert_eq!(
        request.verify(&text, clock.now()),
        Err(Unverified::Signature(signed.signature))
    );
}
