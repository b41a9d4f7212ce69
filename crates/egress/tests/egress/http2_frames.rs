//! Receivers over HTTP/2 whose every frame the test decides.

use egress::Fault;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::hostile_http2::{protected, result_of};
use crate::receiver::PATIENCE;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_OF_HEADERS: u8 = 0x4;
const END_OF_STREAM_AND_HEADERS: u8 = 0x5;
/// `:status 200` in the static table (RFC 7541 appendix A).
const STATUS_200: u8 = 0x88;

/// Written by hand: the library goes away from nothing that it has read.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("is short");
    let head = [0, 0, length, kind, flags, 0, 0, 0, stream];
    [&head[..], payload].concat()
}

/// The stream of the next request, by the frame of its headers.
async fn next_request(stream: &mut TlsStream<TcpStream>) -> Option<u8> {
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        stream.read_exact(&mut payload).await.ok()?;
        if head[3] == HEADERS {
            return Some(head[8]);
        }
    }
}

#[tokio::test]
async fn a_body_that_breaks_leaves_the_status_standing() {
    let pair = protected(|mut stream, _| async move {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.expect("HTTP/2");
        let mut settings = frame(SETTINGS, 0, 0, b"");
        while let Some(request) = next_request(&mut stream).await {
            let answer = [
                std::mem::take(&mut settings),
                frame(HEADERS, END_OF_HEADERS, request, &[STATUS_200]),
                frame(DATA, 0, request, b"so far"),
                frame(RESET, 0, request, &[0, 0, 0, 2]),
            ];
            stream.write_all(&answer.concat()).await.expect("is open");
            stream.flush().await.expect("is open");
        }
    })
    .await;
    for _ in 0..2 {
        let answer = result_of(&pair).await.expect("the status came");
        assert_eq!((answer.status, &answer.body[..]), (200, &b"so far"[..]));
        assert!(answer.body_truncated);
    }
    assert_eq!(pair.0.connections(), 1);
}

#[tokio::test]
async fn a_head_that_goes_on_for_ever_is_cut() {
    let pair = protected(|mut stream, _| async move {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.expect("HTTP/2");
        let request = next_request(&mut stream).await.expect("a request");
        let begin = [
            frame(SETTINGS, 0, 0, b""),
            frame(HEADERS, 0, request, &[STATUS_200]),
        ]
        .concat();
        let mut result = stream.write_all(&begin).await;
        // Each continuation names one header literally: `a: b`.
        let more = frame(CONTINUATION, 0, request, b"\x00\x01a\x01b");
        while result.is_ok() {
            result = stream.write_all(&more).await;
        }
    })
    .await;
    let fault = result_of(&pair).await.expect_err("is no end");
    assert_eq!(fault.slug(), "answer-not-http", "{fault}");
    assert_eq!(pair.1.idle_connections(), 0);
}

#[tokio::test]
async fn a_connection_that_goes_away_says_which_requests_it_may_have_processed() {
    // (the last stream that it says to have seen, what becomes of the second request, connections)
    let cases = [(1, None, 2), (3, Some("connection-closed"), 1)];
    for (last_seen, expected, connections) in cases {
        let pair = protected(move |mut stream, number| async move {
            let mut preface = [0; 24];
            stream.read_exact(&mut preface).await.expect("HTTP/2");
            let mut answer = frame(SETTINGS, 0, 0, b"");
            while let Some(request) = next_request(&mut stream).await {
                let is_leaving = number == 0 && request > 1;
                answer.extend(if is_leaving {
                    frame(GO_AWAY, 0, 0, &[0, 0, 0, last_seen, 0, 0, 0, 0])
                } else {
                    frame(HEADERS, END_OF_STREAM_AND_HEADERS, request, &[STATUS_200])
                });
                stream.write_all(&answer).await.expect("is open");
                stream.flush().await.expect("is open");
                answer.clear();
                if is_leaving {
                    let _ = stream.shutdown().await;
                }
            }
        })
        .await;
        assert!(result_of(&pair).await.is_ok());
        let second = result_of(&pair).await;
        let slug = second.as_ref().err().map(Fault::slug);
        assert_eq!(slug, expected, "{second:?}");
        assert_eq!(pair.0.connections(), connections);
    }
}

#[tokio::test]
async fn what_is_not_http2_is_a_fault() {
    let cases: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        b"\x00\x00\x00\x04\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"garbage, garbage, garbage, garbage, garbage",
    ];
    for bytes in cases {
        let pair = protected(move |mut stream, _| async move {
            stream.write_all(bytes).await.expect("is open");
            stream.flush().await.expect("is open");
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest).await;
        })
        .await;
        let fault = tokio::time::timeout(PATIENCE, result_of(&pair)).await;
        let fault = fault.expect("ends").expect_err("is no HTTP/2");
        assert_eq!(fault.slug(), "answer-not-http", "{fault}");
        assert_eq!(pair.1.idle_connections(), 0);
    }
}
