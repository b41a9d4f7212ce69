//! Receivers that answer slowly, endlessly or too much, very many at once: the memory that they cost, and when each attempt ends.
//!
//! `POSTRIDER_SLOW_RECEIVERS` gives another number of each kind; `POSTRIDER_TEST_BINARY` another binary.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::swift::serve;
use crate::harness::{Server, wait_for};

/// Receivers of each kind where no other number is given.
const RECEIVERS_DEFAULT: usize = 25;
/// Most memory that a thousand of them may cost the server.
const GROWTH_BYTES_MAX: u64 = 32 * 1_024 * 1_024;
const TIMEOUT_MICROSECONDS: u64 = 2_000_000;
/// How much later an attempt may end: the machine is busy.
const LATE_MICROSECONDS_MAX: u64 = 1_000_000;

/// What a receiver does once it has the beginning of a request.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Never answers.
    Silent,
    /// Sends its answer a byte a second.
    Drips,
    /// Sends header after header, as fast as they are taken.
    EndlessHeaders,
    /// Sends a short piece of its body now and then, for ever.
    EndlessBody,
    /// Sends a body as fast as it is taken.
    Floods,
}

/// Takes one request: well, if it is among the first ones.
async fn answer(mut stream: TcpStream, kind: Kind, well: usize, taken: Arc<AtomicUsize>) {
    let mut request = [0; 4_096];
    let Ok(1..) = stream.read(&mut request).await else {
        return;
    };
    if taken.fetch_add(1, Ordering::SeqCst) < well {
        let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        // Read to its end, so that closing does not reset what was answered.
        let _ = stream.write_all(head).await;
        let _ = stream.shutdown().await;
        while let Ok(1..) = stream.read(&mut request).await {}
        return;
    }
    // Writing fails as soon as the server has had enough.
    let _ = match kind {
        Kind::Silent => stream.read(&mut request).await.map(|_| ()),
        Kind::Drips => repeat(&mut stream, b"", b"H", 1_000).await,
        Kind::EndlessHeaders => {
            let line = b"x-more: and more\r\n".repeat(100);
            repeat(&mut stream, b"HTTP/1.1 200 OK\r\n", &line, 0).await
        }
        Kind::EndlessBody => {
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
            repeat(&mut stream, head, b"4\r\nmore\r\n", 100).await
        }
        Kind::Floods => {
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
            repeat(&mut stream, head, &[b'x'; 65_536], 0).await
        }
    };
}

/// Writes a beginning, and then the same again and again.
async fn repeat(
    stream: &mut TcpStream,
    head: &[u8],
    piece: &[u8],
    pause_milliseconds: u64,
) -> std::io::Result<()> {
    stream.write_all(head).await?;
    // What drips is the start of a status line: an endless one would be refused sooner.
    let mut drops = b"HTTP/1.1 200 OK\r\nserver: slow\r\n\r\n".iter().cycle();
    loop {
        if head.is_empty() {
            stream.write_u8(*drops.next().unwrap_or(&b' ')).await?;
        } else {
            stream.write_all(piece).await?;
        }
        if pause_milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(pause_milliseconds)).await;
        }
    }
}

/// Sends one change to so many receivers of a kind; the server's growth, and each job after its attempt.
fn deliver_to(kind: Kind, receivers: usize) -> (u64, Vec<Value>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let address = serve(move |stream| answer(stream, kind, receivers, taken.clone()));
    let timeout = format!("{}ms", TIMEOUT_MICROSECONDS / 1_000);
    let mut server =
        Server::start_with(&["--delivery-timeout", &timeout, "--retry-schedule", "1h"]);
    let integration = server.integration("a");
    for number in 0..receivers {
        let url = format!("http://{address}/{number}");
        server.subscribe(integration, &number.to_string(), &url);
    }
    // What any thousand deliveries leave behind, pages of the database above all, is no matter of slow ones.
    attempted(&mut server, integration, receivers);
    let before = server.resident_bytes();
    let jobs = attempted(&mut server, integration, receivers);
    println!("{} KiB before", before / 1_024);
    (server.peak_bytes().saturating_sub(before), jobs)
}

/// Reports a change, and waits until each of its jobs was attempted.
fn attempted(server: &mut Server, integration: i64, receivers: usize) -> Vec<Value> {
    let receipt = server.report(integration, "A-1", "scheduled");
    let jobs = receipt["webhook_jobs"].as_array().expect("jobs").clone();
    assert_eq!(jobs.len(), receivers);
    let jobs = jobs.iter().map(|job| {
        wait_for("an attempt to end", || {
            let job = server.job(integration, &job["id"]);
            let is_over = job["attempts"]
                .as_array()
                .is_some_and(|all| !all.is_empty());
            is_over.then_some(job)
        })
    });
    jobs.collect()
}

#[test]
fn slow_and_endless_answers_cost_little_memory_and_end_by_the_deadline() {
    let given = std::env::var("POSTRIDER_SLOW_RECEIVERS").ok();
    let receivers = given.map_or(RECEIVERS_DEFAULT, |given| given.parse().expect("a number"));
    for kind in [
        Kind::Silent,
        Kind::Drips,
        Kind::EndlessHeaders,
        Kind::EndlessBody,
        Kind::Floods,
    ] {
        let (growth, jobs) = deliver_to(kind, receivers);
        let totals = jobs.iter().map(|job| {
            let total = &job["attempts"][0]["timing"]["total"];
            total.as_u64().unwrap_or_else(|| panic!("no time: {job}"))
        });
        let longest = totals.max().expect("some");
        let outcomes: std::collections::BTreeSet<String> = jobs
            .iter()
            .map(|job| job["attempts"][0]["outcome"].to_string())
            .collect();
        println!(
            "{receivers} of {kind:?}: {} KiB more, longest {longest} µs, {outcomes:?}",
            growth / 1_024
        );
        assert!(
            longest <= TIMEOUT_MICROSECONDS + LATE_MICROSECONDS_MAX,
            "{kind:?}: {longest} µs"
        );
        assert!(growth <= GROWTH_BYTES_MAX, "{kind:?}: {growth} bytes");
        // Whoever sent a good status took the delivery; the others failed.
        let expected = match kind {
            Kind::Silent | Kind::Drips | Kind::EndlessHeaders => json!("endpoint_fault"),
            Kind::EndlessBody | Kind::Floods => json!("delivered"),
        };
        assert!(
            outcomes.iter().eq([&expected.to_string()]),
            "{kind:?}: {outcomes:?}"
        );
    }
}
