//! What the receiver gets, and which answers come back.

use bytes::Bytes;
use egress::Answer;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;

use crate::receiver::{
    Arrived, OK, PATIENCE, Receiver, client, header, post, read_request, status,
};

/// A receiver that hands on what arrives.
async fn recording() -> (Receiver, mpsc::UnboundedReceiver<Arrived>) {
    let (sender, arrived) = mpsc::unbounded_channel();
    let receiver = Receiver::start(move |mut stream, _| {
        let sender = sender.clone();
        async move {
            while let Some(request) = read_request(&mut stream).await {
                sender.send(request).expect("the test listens");
                stream.write_all(OK).await.expect("is open");
            }
        }
    })
    .await;
    (receiver, arrived)
}

#[tokio::test]
async fn the_body_arrives_byte_for_byte() {
    let (receiver, mut arrived) = recording().await;
    let client = client();
    let all_bytes: Vec<u8> = (0..=255).collect();
    let bodies = [
        vec![],
        b"{}".to_vec(),
        all_bytes.repeat(1),
        all_bytes.repeat(4_096),
    ];
    for body in bodies {
        let bytes = Bytes::from(body.clone());
        let exchange = client
            .post(&receiver.url("/"), HeaderMap::new(), bytes, PATIENCE)
            .await;
        assert_eq!(status(&exchange), 200);
        let request = arrived.recv().await.expect("arrived");
        assert!(request.body == body, "a body of {} bytes", body.len());
        let length = header(&request.head, "content-length");
        assert_eq!(length, Some(body.len().to_string().as_str()));
        assert_eq!(header(&request.head, "transfer-encoding"), None);
    }
}

#[tokio::test]
async fn the_request_line_and_host_come_from_the_url() {
    let (receiver, mut arrived) = recording().await;
    let client = client();
    let targets = [
        ("", "/"),
        ("/a/b?c=d&e", "/a/b?c=d&e"),
        ("//other.example/x", "//other.example/x"),
        ("/ü?ü=`|^{}\"'", "/%C3%BC?%C3%BC=`|^{}%22%27"),
        ("/a|b^c[d]{e}`f\"g", "/a|b^c[d]%7Be%7D%60f%22g"),
        ("/%0d%0Ax:y", "/%0d%0Ax:y"),
    ];
    for (given, sent) in targets {
        assert_eq!(
            status(&post(&client, &receiver.url(given)).await),
            200,
            "{given}"
        );
        let head = arrived.recv().await.expect("arrived").head;
        assert_eq!(
            head.lines().next(),
            Some(format!("POST {sent} HTTP/1.1").as_str())
        );
        assert_eq!(
            header(&head, "host"),
            Some(receiver.address.to_string().as_str())
        );
    }
}

#[tokio::test]
async fn headers_of_the_connection_are_ours_and_no_compression_is_asked_for() {
    let (receiver, mut arrived) = recording().await;
    let given = [
        ("webhook-id", "msg_1"),
        ("host", "evil.example"),
        ("content-length", "7"),
        ("transfer-encoding", "chunked"),
        ("connection", "close, webhook-id"),
        ("accept-encoding", "gzip, br"),
        ("expect", "100-continue"),
        ("upgrade", "h2c"),
        ("te", "trailers"),
        ("keep-alive", "timeout=1"),
        ("proxy-authorization", "Basic eDp5"),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let body = Bytes::from_static(b"{}");
    let exchange = client()
        .post(&receiver.url("/"), headers, body, PATIENCE)
        .await;
    assert_eq!(status(&exchange), 200);
    let head = arrived.recv().await.expect("arrived").head;
    let mut lines: Vec<&str> = head
        .lines()
        .skip(1)
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort_unstable();
    let host = format!("host: {}", receiver.address);
    assert_eq!(
        lines,
        ["content-length: 2", host.as_str(), "webhook-id: msg_1"]
    );
}

#[tokio::test]
async fn every_status_is_an_answer_and_no_redirect_is_followed() {
    let canary = Receiver::answering(OK).await;
    let client = client();
    for code in [
        200, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 429, 500, 503, 599, 999,
    ] {
        let location = format!("location: http://{}/next\r\n", canary.address);
        let length = if code == 204 {
            ""
        } else {
            "content-length: 0\r\n"
        };
        let answer = format!("HTTP/1.1 {code} Words\r\n{location}{length}\r\n");
        let receiver = Receiver::answering(answer).await;
        let exchange = post(&client, &receiver.url("/")).await;
        let answer = exchange.result.expect("has an answer");
        assert_eq!(answer.status, code);
        assert!(answer.headers.contains_key("location") && !answer.body_truncated);
        assert_eq!(receiver.connections(), 1);
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn interim_answers_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
        HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
    let last = "HTTP/1.1 202 Accepted\r\ncontent-length: 4\r\n\r\ndone";
    let receiver = Receiver::answering(format!("{interim}{last}")).await;
    let client = client();
    for _ in 0..2 {
        let answer = post(&client, &receiver.url("/"))
            .await
            .result
            .expect("has an answer");
        assert_eq!((answer.status, &answer.body[..]), (202, &b"done"[..]));
        assert!(!answer.headers.contains_key("link"));
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn the_first_4_kib_of_a_body_are_kept_and_16_kib_are_read() {
    // (bytes sent, bytes kept, truncated, connection kept)
    let cases = [
        (0, 0, false, 1),
        (1, 1, false, 1),
        (4_096, 4_096, false, 1),
        (4_097, 4_096, true, 1),
        (16_384, 4_096, true, 1),
        (16_385, 4_096, true, 0),
        (200_000, 4_096, true, 0),
    ];
    for (sent, kept, is_truncated, idle) in cases {
        let text: Vec<u8> = (0..sent).map(|at| b'a' + (at % 26) as u8).collect();
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {sent}\r\n\r\n");
        let receiver = Receiver::answering([head.into_bytes(), text.clone()].concat()).await;
        let client = client();
        let answer: Answer = post(&client, &receiver.url("/"))
            .await
            .result
            .expect("an answer");
        assert!(answer.body == text[..kept], "{sent} bytes");
        assert_eq!(answer.body_truncated, is_truncated, "{sent} bytes");
        assert_eq!(client.idle_connections(), idle, "{sent} bytes");
    }
}

#[tokio::test]
async fn a_chunked_body_with_trailers_is_joined() {
    let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
        3\r\none\r\n4;x=y\r\n two\r\n0\r\ntrailer: z\r\n\r\n";
    let receiver = Receiver::answering(answer).await;
    let client = client();
    for _ in 0..2 {
        let answer = post(&client, &receiver.url("/"))
            .await
            .result
            .expect("an answer");
        assert_eq!(
            (&answer.body[..], answer.body_truncated),
            (&b"one two"[..], false)
        );
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_where_it_points_is_kept() {
    let receiver = Receiver::start(|mut stream, _| async move {
        while let Some(request) = read_request(&mut stream).await {
            let mut words = request.head.split_ascii_whitespace().skip(1);
            let target = words.next().expect("a target");
            let (code, location) = target[1..].split_once('/').expect("code and place");
            let head = format!("HTTP/1.1 {code} Words\r\nlocation: {location}\r\n");
            let rest = "content-length: 0\r\n\r\n";
            let answer = [head, rest.to_owned()].concat();
            stream.write_all(answer.as_bytes()).await.expect("is open");
        }
    })
    .await;
    let itself = receiver.url("/301/x").to_string();
    let places = [
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "//[::1]/",
        "/",
        itself.as_str(),
    ];
    let client = client();
    let mut sent = 0;
    for place in places {
        for code in [301, 302, 303, 307, 308] {
            let exchange = post(&client, &receiver.url(&format!("/{code}/{place}"))).await;
            let answer = exchange.result.expect("has an answer");
            assert_eq!(answer.status, code);
            assert_eq!(answer.headers["location"], place);
            assert_eq!(exchange.reused, sent > 0, "nothing else was sent meanwhile");
            sent += 1;
        }
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn a_compressed_answer_is_not_inflated() {
    // A kilobyte of these would be a megabyte of zeros.
    let bomb = [&[0x1f, 0x8b, 8, 0][..], &[0; 6_000]].concat();
    for coding in [
        "content-encoding: gzip",
        "content-encoding: br, gzip",
        "transfer-encoding: gzip",
    ] {
        let length = match coding.starts_with("content") {
            true => format!("content-length: {}\r\n", bomb.len()),
            false => String::new(),
        };
        let head = format!("HTTP/1.1 200 OK\r\n{coding}\r\n{length}\r\n");
        let answer = [head.as_bytes(), &bomb].concat();
        let receiver = Receiver::start(move |mut stream, _| {
            let answer = answer.clone();
            async move {
                read_request(&mut stream).await;
                stream.write_all(&answer).await.expect("is open");
            }
        })
        .await;
        let answer = post(&client(), &receiver.url("/")).await.result;
        let answer = answer.expect("an answer");
        assert!(answer.body == bomb[..4_096], "{coding}");
        assert!(answer.body_truncated, "{coding}");
    }
}
