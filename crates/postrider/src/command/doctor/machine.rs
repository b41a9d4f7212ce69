//! The machine: its disk, its files, and the address to listen on.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Finding;
use crate::config::Config;
use crate::node::open_files_max;

/// Free space in bytes below which a server would soon refuse changes, and below which it is time to act.
const FREE_BYTES_MIN: u64 = 256 << 20;
const FREE_BYTES_GOOD: u64 = 1 << 30;
/// Writes that are timed; the median counts.
const WRITES: usize = 11;
/// Every commit waits for one of these: a slower disk is felt.
const SYNC_MILLISECONDS_GOOD: u128 = 20;
/// Files below which few deliveries can be in flight: 256 are kept for other things, and a third of the rest is theirs.
const FILES_GOOD: u64 = 4_096;
/// How long whoever listens already may take to answer, in seconds.
const ANSWER_SECONDS_MAX: u64 = 5;
/// Bytes of that answer that are read.
const ANSWER_BYTES_MAX: usize = 1_024;

pub(super) async fn look(config: &Config) -> Vec<Finding> {
    let mut findings = vec![files(), listen(config.listen).await];
    // With a database, the folder has nothing but mails that are files.
    if config.database_url.is_none() {
        findings.push(disk(&config.data));
    }
    findings
}

fn files() -> Finding {
    let files = open_files_max();
    let found = format!("{files} may be open");
    match files {
        FILES_GOOD.. => Finding::ok("files", found),
        _ => Finding::warning(
            "files",
            found,
            "raise the limit (LimitNOFILE= of the unit, or `ulimit -n`): it bounds deliveries in flight",
        ),
    }
}

async fn listen(address: SocketAddr) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok("address", format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => in_use(address).await,
        Err(error) => Finding::failed(
            "address",
            format!("{address} cannot be listened on: {error}"),
            "give another with --listen",
        ),
    }
}

/// Somebody listens already: a server that runs, or another program.
async fn in_use(address: SocketAddr) -> Finding {
    let answer =
        tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), ready(address)).await;
    let head = answer.ok().and_then(Result::ok).unwrap_or_default();
    if head.starts_with("HTTP/1.1 200") {
        return Finding::ok(
            "address",
            format!("a server answers at {address}, and is ready"),
        );
    }
    let about = "address";
    match head.starts_with("HTTP/1.1 503") {
        true => Finding::failed(
            about,
            format!("the server at {address} cannot write changes"),
            "GET /readyz tells why",
        ),
        false => Finding::failed(
            about,
            format!("another program listens on {address}"),
            "stop that, or give another address with --listen",
        ),
    }
}

async fn ready(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut head = vec![0; ANSWER_BYTES_MAX];
    let length = stream.read(&mut head).await?;
    Ok(String::from_utf8_lossy(&head[..length]).into_owned())
}

/// Whether the folder can be written, how much room there is, and how long the disk takes to keep something.
fn disk(folder: &Path) -> Finding {
    let existing = existing(folder);
    let shown = folder.display();
    let sync = match time_sync(&existing) {
        Ok(sync) => sync,
        Err(error) => {
            return Finding::failed(
                "disk",
                format!("the data folder {shown} cannot be written: {error}"),
                "make it writable for this user, or name another with --data",
            );
        }
    };
    let free = free_bytes(&existing);
    let found = format!(
        "{shown}: {} MiB free, an fsync takes {:.1} ms",
        free >> 20,
        sync.as_secs_f64() * 1_000.0
    );
    if free < FREE_BYTES_MIN {
        let remedy = "make room: once the disk is full, changes are refused";
        return Finding::failed("disk", found, remedy);
    }
    if free < FREE_BYTES_GOOD {
        let remedy = "make room soon, or keep less (retention.jobs)";
        return Finding::warning("disk", found, remedy);
    }
    match sync.as_millis() {
        ..=SYNC_MILLISECONDS_GOOD => Finding::ok("disk", found),
        _ => Finding::warning(
            "disk",
            found,
            "every change waits for it: use a faster disk",
        ),
    }
}

/// The folder, or what it would be made in, which may be no folder.
fn existing(folder: &Path) -> PathBuf {
    let found = folder.ancestors().find(|one| one.exists());
    found.unwrap_or(Path::new("/")).to_owned()
}

/// The median of some small writes that have to be on the disk.
fn time_sync(folder: &Path) -> std::io::Result<Duration> {
    let mut file: File = tempfile::tempfile_in(folder)?;
    let mut times = Vec::new();
    for _ in 0..WRITES {
        let started = Instant::now();
        file.write_all(&[0; 4_096])?;
        file.sync_data()?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times[WRITES / 2])
}

#[cfg(target_os = "linux")]
fn free_bytes(folder: &Path) -> u64 {
    let found = rustix::fs::statvfs(folder);
    found.map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

/// Elsewhere nobody is told.
#[cfg(not(target_os = "linux"))]
fn free_bytes(_folder: &Path) -> u64 {
    u64::MAX
}
