//! Reading a body within its limits of size, time and memory.

use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use contract::{Failure, status};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

/// How long a client may send nothing in the middle of its body, in seconds.
const STALL_SECONDS_MAX: u64 = 30;
/// How long a body may take in all, in seconds: the largest one at a slow uplink of 1 Mbit/s.
const BODY_SECONDS_MAX: u64 = 300;
/// Bodies up to this size are read without asking for room: they are nearly all there are.
const SMALL_BODY_BYTES: usize = 64 * 1024;
/// Room for larger bodies that are read at the same time, in KiB; more wait for it.
const ROOM_KIB: usize = 256 * 1024;
/// How much of a body that is not wanted is read and thrown away, and for how long. A client that sends
/// everything before it reads would otherwise see a broken connection instead of the answer.
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;
const DISCARD_MILLISECONDS_MAX: u64 = 2_000;

/// The room that bodies are read into.
pub(crate) struct Bodies {
    room: Semaphore,
}

/// A body, and its claim to the room until it is dropped.
pub(crate) struct Whole<'b> {
    pub(crate) bytes: Bytes,
    _claim: Option<SemaphorePermit<'b>>,
}

impl Bodies {
    pub(crate) fn new() -> Bodies {
        Bodies {
            room: Semaphore::new(ROOM_KIB),
        }
    }

    /// Reads a body of up to `bytes_max`.
    ///
    /// # Errors
    /// `body-too-large`, at once where the length is announced; `invalid-encoded-params` for a body that
    /// breaks off or comes too slowly.
    pub(crate) async fn read(
        &self,
        mut body: Body,
        bytes_max: usize,
    ) -> Result<Whole<'_>, Failure> {
        let hint = body.size_hint();
        if usize::try_from(hint.lower()).map_or(true, |least| least > bytes_max) {
            discard(&mut body).await;
            return Err(Failure::body_too_large(bytes_max));
        }
        let most = hint.upper().and_then(|upper| usize::try_from(upper).ok());
        let most = most.map_or(bytes_max, |upper| upper.min(bytes_max));
        let patience = Duration::from_secs(BODY_SECONDS_MAX);
        let reading = async {
            let claim = self.claim(most).await;
            let bytes = collect(&mut body, bytes_max).await?;
            Ok(Whole {
                bytes,
                _claim: claim,
            })
        };
        timeout(patience, reading)
            .await
            .unwrap_or_else(|_| Err(too_slow()))
    }

    async fn claim(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        if bytes <= SMALL_BODY_BYTES {
            return None;
        }
        let kib = u32::try_from(bytes.div_ceil(1024).min(ROOM_KIB)).ok()?;
        // The semaphore is never closed.
        self.room.acquire_many(kib).await.ok()
    }
}

/// A body that came in one piece is taken as it is; only one in several pieces is copied together.
async fn collect(body: &mut Body, bytes_max: usize) -> Result<Bytes, Failure> {
    let mut only = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(piece) = next(body).await? {
        let length = only.len() + joined.len() + piece.len();
        if length > bytes_max {
            discard(body).await;
            return Err(Failure::body_too_large(bytes_max));
        }
        if length == piece.len() {
            only = piece;
            continue;
        }
        if joined.is_empty() {
            joined.extend_from_slice(&only);
            only.clear();
        }
        joined.extend_from_slice(&piece);
    }
    Ok(if joined.is_empty() {
        only
    } else {
        joined.freeze()
    })
}

async fn next(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    while !body.is_end_stream() {
        let patience = Duration::from_secs(STALL_SECONDS_MAX);
        match timeout(patience, body.frame()).await {
            Err(_) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(unreadable("The body broke off.")),
            // Trailers are passed over.
            Ok(Some(Ok(frame))) => {
                if let Ok(piece) = frame.into_data() {
                    return Ok(Some(piece));
                }
            }
        }
    }
    Ok(None)
}

/// Reads a body that is not wanted, within bounds.
pub(crate) async fn discard(body: &mut Body) {
    let reading = async {
        let mut discarded = 0;
        while discarded < DISCARDED_BYTES_MAX
            && let Ok(Some(piece)) = next(body).await
        {
            discarded += piece.len();
        }
    };
    // Whether it ended in time makes no difference to the answer.
    let _ = timeout(Duration::from_millis(DISCARD_MILLISECONDS_MAX), reading).await;
}

fn too_slow() -> Failure {
    unreadable("The body came too slowly.")
}

fn unreadable(message: &str) -> Failure {
    Failure::new(&status::INVALID_ENCODED_PARAMS, message)
}
