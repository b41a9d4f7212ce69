//! Mails that a request waits for: a mail server that hangs is given up in time.

#![expect(
    clippy::expect_used,
    reason = "a test says what it expects, and fails by a panic"
)]

use std::sync::Arc;

use domain::letter::{About, Letter};
use domain::time::Moment;
use mail::{MailUrl, Post, SEND_NOW_SECONDS_MAX, SendFault, Sender, Transport};
use testkit::ManualClock;

fn letter() -> Letter {
    let about = About::SignInLink {
        link_token: "the-token".to_owned(),
        expires_at: Moment::EPOCH,
    };
    Letter {
        to: "ann@example.com".to_owned(),
        about,
    }
}

fn post(url: &str) -> Post {
    let url = MailUrl::parse(url).expect("a way");
    let sender = Sender::new("p@example.com", "https://p.example.com").expect("a sender");
    let transport = Transport::new(&url, None).expect("set up");
    Post::new(sender, transport, Arc::new(ManualClock::default()))
}

#[tokio::test]
async fn a_mail_server_that_says_nothing_is_not_waited_for_longer_than_a_person_waits() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback");
    let address = listener.local_addr().expect("bound");
    let post = post(&format!("smtp://{address}"));
    let sending = tokio::spawn(async move { post.send_now(&[letter(), letter()]).await });
    // Taken, and left alone: from now on time passes only because nothing else happens.
    let first = listener.accept().await.expect("a connection");
    let second = listener.accept().await.expect("a connection");
    tokio::time::pause();
    let reason = format!("not taken within {SEND_NOW_SECONDS_MAX} seconds");
    let fault = sending.await.expect("no panic");
    assert_eq!(fault, Err(SendFault::Passing(reason)));
    drop((first, second));
}

#[tokio::test]
async fn tls_that_is_required_is_not_done_without() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("loopback");
    let address = listener.local_addr().expect("bound");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        stream
            .write_all(b"220 mx ready\r\n")
            .await
            .expect("written");
        let mut heard = [0; 1_024];
        let length = stream.read(&mut heard).await.expect("EHLO");
        stream.write_all(b"250 mx\r\n").await.expect("written");
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).await.expect("the end");
        let heard = [&heard[..length], &rest].concat();
        String::from_utf8(heard).expect("text")
    });
    let post = post(&format!("smtp://user:hunter2@{address}?tls=required"));
    let fault = post.send_now(&[letter()]).await.expect_err("no TLS");
    assert!(matches!(fault, SendFault::Passing(_)), "{fault}");
    drop(post);
    let heard = server.await.expect("no panic");
    assert!(
        heard.starts_with("EHLO") && !heard.contains("AUTH") && !heard.contains("RCPT"),
        "{heard}"
    );
}
