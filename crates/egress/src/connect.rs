//! A new connection: resolve, check, connect to the checked address, protect, hand to hyper.

use std::net::SocketAddr;
use std::time::Duration;

use domain::destination::CallbackUrl;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::client::{Parts, Phase, Progress};
use crate::connection::Connection;
use crate::fault::{ConnectFault, Fault};
use crate::http1::Http1;
use crate::http2::Shared;
use crate::{resolve, tls};

/// The most addresses of one name that are tried: more would only use up the deadline.
const ADDRESSES_TRIED_MAX: usize = 8;
/// How long one address may take while others are left; the system itself would try for minutes.
const ADDRESS_SECONDS_MAX: u64 = 3;

/// Opens a connection for the URL, noting in `progress` how far it came.
///
/// # Errors
/// Whatever resolving, the policy, connecting or the TLS handshake has to say.
pub(crate) async fn open(
    parts: &Parts,
    url: &CallbackUrl,
    progress: &mut Progress,
) -> Result<Connection, Fault> {
    let started = progress.enter(Phase::Resolving);
    let addresses = resolve::addresses(&parts.resolver, &parts.policy, url).await?;
    if url.literal_address().is_none() {
        progress.timing.resolve = Some(started.elapsed());
    }

    let started = progress.enter(Phase::Connecting);
    let (stream, address) = connect(&addresses, progress).await?;
    progress.timing.connect = Some(started.elapsed());

    if !url.is_tls() {
        return Ok(Connection::Http1(Http1::open(stream, address).await?));
    }
    let started = progress.enter(Phase::Securing);
    let stream = tls::protect(&parts.tls, url.host(), stream).await?;
    progress.timing.tls = Some(started.elapsed());
    if !tls::is_http2(&stream) {
        return Ok(Connection::Http1(Http1::open(stream, address).await?));
    }
    let shared = Shared::open(stream, address).await?;
    let stream = shared.stream().ok_or(Fault::Closed)?;
    parts.pool.share(url.origin(), shared);
    Ok(Connection::Http2(stream))
}

/// Tries the addresses in turn. Each but the last may take half of the time that is left, so that a
/// first address that swallows packets does not use up the deadline of its healthy neighbours.
async fn connect(
    addresses: &[SocketAddr],
    progress: &mut Progress,
) -> Result<(TcpStream, SocketAddr), Fault> {
    let tried = &addresses[..addresses.len().min(ADDRESSES_TRIED_MAX)];
    let mut fault = ConnectFault::NoAnswer;
    for (index, address) in tried.iter().enumerate() {
        progress.address = Some(*address);
        let is_last = index + 1 == tried.len();
        let patience = if is_last {
            progress.time_left()
        } else {
            patience(progress.time_left())
        };
        match tokio::time::timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Requests are written whole; waiting for more to send would only delay them.
                stream
                    .set_nodelay(true)
                    .map_err(|error| Fault::Connect(error.into()))?;
                return Ok((stream, *address));
            }
            Ok(Err(error)) => fault = error.into(),
            Err(_) if is_last => return Err(Fault::TimedOut(Phase::Connecting)),
            Err(_) => fault = ConnectFault::NoAnswer,
        }
    }
    Err(Fault::Connect(fault))
}

fn patience(time_left: Duration) -> Duration {
    (time_left / 2).min(Duration::from_secs(ADDRESS_SECONDS_MAX))
}

impl Progress {
    /// Notes that a phase begins, and when.
    fn enter(&mut self, phase: Phase) -> Instant {
        self.phase = phase;
        Instant::now()
    }

    fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
