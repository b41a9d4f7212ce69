//! Receivers that misbehave over HTTP/2: the deadline and the bounds hold for each stream, and what one
//! stream does spares its neighbours.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use egress::{Client, Fault, Phase, PoolLimits, ProtocolFault};
use h2::server::{self, SendResponse};
use h2::{Reason, SendStream};
use http::{Response, StatusCode};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::certified::{GOOD, acceptor, at, authority, client};
use crate::http2::BOTH;
use crate::receiver::{Receiver, post, post_within, status, until};

/// Long enough for a loopback exchange on a busy machine, short enough to wait for in a test.
const DEADLINE: Duration = Duration::from_millis(400);

type Connection = server::Connection<TlsStream<TcpStream>, Bytes>;
type Respond = SendResponse<Bytes>;

/// A receiver that does this with each protected connection, and a client that trusts it.
pub async fn protected<F, R>(script: F) -> (Receiver, Client)
where
    F: Fn(TlsStream<TcpStream>, usize) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let authority = authority();
    let acceptor = acceptor(&authority, &GOOD, BOTH);
    let receiver = Receiver::start(move |stream, number| {
        let (acceptor, script) = (acceptor.clone(), script.clone());
        async move {
            let stream = acceptor.accept(stream).await.expect("is protected");
            script(stream, number).await;
        }
    })
    .await;
    (receiver, client(&authority, PoolLimits::default()))
}

/// A receiver that does this with each request; requests are numbered over all connections from 0.
async fn answering<F, R>(script: F) -> (Receiver, Client)
where
    F: Fn(Respond, usize) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let count = Arc::new(AtomicUsize::new(0));
    protected(move |stream, _| {
        let (script, count) = (script.clone(), count.clone());
        async move {
            let mut connection: Connection = server::handshake(stream).await.expect("HTTP/2");
            while let Some(Ok((request, respond))) = connection.accept().await {
                let number = count.fetch_add(1, Ordering::SeqCst);
                let script = script(respond, number);
                tokio::spawn(async move {
                    let _request = request;
                    script.await;
                });
            }
        }
    })
    .await
}

fn head(respond: &mut Respond) -> SendStream<Bytes> {
    let response = Response::new(());
    respond.send_response(response, false).expect("is open")
}

fn answer_ok(mut respond: Respond) {
    respond
        .send_response(Response::new(()), true)
        .expect("is open");
}

/// What becomes of one exchange.
pub async fn result_of((receiver, client): &(Receiver, Client)) -> Result<egress::Answer, Fault> {
    post(client, &at(receiver, "hooks.example")).await.result
}

#[tokio::test]
async fn a_receiver_that_falls_silent_times_out_and_its_connection_is_given_up() {
    let pair = answering(|respond, number| async move {
        match number {
            1 => pending().await,
            _ => answer_ok(respond),
        }
    })
    .await;
    let (receiver, client) = &pair;
    assert_eq!(result_of(&pair).await.expect("an answer").status, 200);
    let url = at(receiver, "hooks.example");
    let silent = post_within(client, &url, DEADLINE).await;
    assert!(silent.reused);
    assert_eq!(silent.result, Err(Fault::TimedOut(Phase::Answering)));
    let next = post(client, &url).await;
    assert_eq!((status(&next), next.reused), (200, false));
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn a_receiver_that_speaks_no_further_or_never_reads_is_cut() {
    let ended = Arc::new(AtomicUsize::new(0));
    let script_ended = ended.clone();
    // Not even its settings come, and no ping would be answered.
    let mute = protected(move |mut stream, _| {
        let ended = script_ended.clone();
        async move {
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
            ended.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let unread = protected(|stream, _| async move {
        let _open = stream;
        pending().await
    })
    .await;
    for (receiver, client) in [mute, unread] {
        let url = at(&receiver, "hooks.example");
        let body = Bytes::from(vec![b'a'; 32 * 1_024 * 1_024]);
        let headers = http::HeaderMap::new();
        let exchange = client.post(&url, headers, body, DEADLINE).await;
        assert_eq!(exchange.result, Err(Fault::TimedOut(Phase::Answering)));
        assert_eq!(client.idle_connections(), 0);
    }
    until("its end is seen", || ended.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn an_endless_body_is_left_after_16_kib_and_the_connection_stays() {
    let ended = Arc::new(AtomicUsize::new(0));
    let script_ended = ended.clone();
    let pair = answering(move |mut respond, _| {
        let ended = script_ended.clone();
        async move {
            let mut stream = head(&mut respond);
            stream.reserve_capacity(16_384);
            let mut is_open = true;
            while is_open {
                let room = std::future::poll_fn(|context| stream.poll_capacity(context)).await;
                let chunk = match room {
                    Some(Ok(room)) => Bytes::from(vec![b'a'; room]),
                    _ => break,
                };
                is_open = stream.send_data(chunk, false).is_ok();
                stream.reserve_capacity(16_384);
            }
            ended.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    for number in 1..=3 {
        let answer = result_of(&pair).await.expect("an answer");
        assert_eq!((answer.status, answer.body.len()), (200, 4_096));
        assert!(answer.body_truncated);
        until("the receiver is told", || {
            ended.load(Ordering::SeqCst) == number
        })
        .await;
    }
    assert_eq!(pair.0.connections(), 1);
}

#[tokio::test]
async fn a_body_that_drips_leaves_the_status_standing() {
    let (receiver, client) = answering(|mut respond, _| async move {
        let mut stream = head(&mut respond);
        let mut beat = tokio::time::interval(Duration::from_millis(10));
        while stream.send_data(Bytes::from_static(b"a"), false).is_ok() {
            beat.tick().await;
        }
    })
    .await;
    let exchange = post_within(&client, &at(&receiver, "hooks.example"), DEADLINE).await;
    assert!(exchange.timing.total >= DEADLINE, "waits while it may");
    let answer = exchange.result.expect("the status came");
    assert!(answer.status == 200 && answer.body_truncated);
    assert!(answer.body.starts_with(b"aa"));
}

#[tokio::test]
async fn a_flood_of_headers_is_a_fault_of_this_stream_only() {
    let pair = answering(|mut respond, number| async move {
        let mut response = Response::new(());
        let (count, length) = [(1_000, 10), (1, 20_000), (0, 0)][number];
        for at in 0..count {
            let name = http::HeaderName::try_from(format!("x-{at}")).expect("a name");
            let value = http::HeaderValue::try_from("a".repeat(length)).expect("a value");
            response.headers_mut().append(name, value);
        }
        let _ = respond.send_response(response, true);
    })
    .await;
    for _ in 0..2 {
        let fault = result_of(&pair).await.expect_err("is too large");
        assert_eq!(fault.slug(), "answer-not-http", "{fault}");
        assert!(
            fault.to_string().ends_with("too many or too long"),
            "{fault}"
        );
    }
    assert_eq!(result_of(&pair).await.expect("an answer").status, 200);
    assert_eq!(pair.0.connections(), 1);
}

#[tokio::test]
async fn interim_answers_are_passed_over_and_a_flood_of_them_times_out() {
    let few = answering(|mut respond, _| async move {
        for code in [
            StatusCode::CONTINUE,
            StatusCode::PROCESSING,
            StatusCode::EARLY_HINTS,
        ] {
            let mut interim = Response::new(());
            *interim.status_mut() = code;
            respond.send_informational(interim).expect("is open");
        }
        answer_ok(respond);
    })
    .await;
    assert_eq!(result_of(&few).await.expect("an answer").status, 200);
    let (receiver, client) = answering(|mut respond, _| async move {
        let mut is_open = true;
        while is_open {
            let mut interim = Response::new(());
            *interim.status_mut() = StatusCode::EARLY_HINTS;
            is_open = respond.send_informational(interim).is_ok();
            tokio::task::yield_now().await;
        }
    })
    .await;
    let exchange = post_within(&client, &at(&receiver, "hooks.example"), DEADLINE).await;
    assert_eq!(exchange.result, Err(Fault::TimedOut(Phase::Answering)));
}

#[tokio::test]
async fn what_the_receiver_refused_unseen_is_sent_again_once_and_only_on_a_connection_that_was_open()
 {
    let seen = Arc::new(AtomicUsize::new(0));
    let script_seen = seen.clone();
    let pair = answering(move |mut respond, number| {
        script_seen.fetch_add(1, Ordering::SeqCst);
        async move {
            match number {
                1 | 3 | 4 => respond.send_reset(Reason::REFUSED_STREAM),
                _ => answer_ok(respond),
            }
        }
    })
    .await;
    assert!(result_of(&pair).await.is_ok(), "0");
    let again = post(&pair.1, &at(&pair.0, "hooks.example")).await;
    assert_eq!((status(&again), again.reused), (200, false), "1, then 2");
    assert_eq!(pair.0.connections(), 2);
    let fault = result_of(&pair).await.expect_err("3, then 4");
    assert_eq!(fault.slug(), "exchange-broken-off");
    assert_eq!(seen.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn what_the_receiver_may_have_processed_is_not_sent_again() {
    let seen = Arc::new(AtomicUsize::new(0));
    for reason in [
        Reason::INTERNAL_ERROR,
        Reason::CANCEL,
        Reason::NO_ERROR,
        Reason::ENHANCE_YOUR_CALM,
    ] {
        seen.store(0, Ordering::SeqCst);
        let script_seen = seen.clone();
        let pair = answering(move |mut respond, number| {
            script_seen.fetch_add(1, Ordering::SeqCst);
            async move {
                match number {
                    0 => answer_ok(respond),
                    _ => respond.send_reset(reason),
                }
            }
        })
        .await;
        assert!(result_of(&pair).await.is_ok());
        let fault = result_of(&pair).await.expect_err("is reset");
        let words = ProtocolFault::BrokenOff(reason.description().to_owned());
        assert_eq!(fault, Fault::Protocol(words));
        assert_eq!(seen.load(Ordering::SeqCst), 2, "{reason}");
        assert_eq!(pair.0.connections(), 1, "the connection is not at fault");
    }
}
