//! The receiver: takes deliveries and notes each in the ledger, on a thread of its own.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::ledger::{Ledger, Place};
use super::marker::Run;

/// Where the deliveries of answered subscriptions go, followed by their number.
const LIVE_PATH: &str = "/live/";
/// Where the yardstick goes: taken and searched like a delivery, but noted nowhere.
pub const YARDSTICK_PATH: &str = "/yardstick";
/// Largest payload in bytes; longer ones are refused.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// How long to wait when no connection can be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);

/// A running receiver; it stops when dropped.
pub struct Receiver {
    /// Where it answers.
    address: SocketAddr,
    /// Where dead subscriptions are received.
    dead_address: SocketAddr,
    state: Arc<State>,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

struct State {
    began: Instant,
    phase: Mutex<Phase>,
    dead_answer: AtomicBool,
    stuck: Stuck,
}

/// The requests that are never answered.
#[derive(Default)]
struct Stuck {
    now: AtomicU64,
    most: AtomicU64,
}

/// One of them, until its sender gives up.
struct Held<'a>(&'a Stuck);

struct Phase {
    run: Run,
    ledger: Ledger,
}

impl Receiver {
    /// Starts to receive on this address, and dead connections on another port.
    ///
    /// # Errors
    /// The address cannot be listened on, or no thread be had.
    pub fn start(
        address: SocketAddr,
        began: Instant,
        run: Run,
        ledger: Ledger,
    ) -> Result<Receiver> {
        let live = listen(address)?;
        let dead = listen(SocketAddr::new(address.ip(), 0))?;
        let (address, dead_address) = (live.local_addr()?, dead.local_addr()?);
        let phase = Mutex::new(Phase { run, ledger });
        let state = Arc::new(State {
            began,
            phase,
            dead_answer: AtomicBool::new(false),
            stuck: Stuck::default(),
        });
        let stop = CancellationToken::new();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (serving, holding, stopping) = (state.clone(), state.clone(), stop.clone());
        let thread = std::thread::Builder::new().name("receiver".to_owned());
        let thread = thread.spawn(move || {
            let serve = async {
                tokio::join!(accept_live(live, serving), accept_dead(dead, holding));
            };
            runtime.block_on(stopping.run_until_cancelled(serve));
        })?;
        Ok(Receiver {
            address,
            dead_address,
            state,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The callback URL of an answered subscription.
    pub fn live_url(&self, subscription: usize) -> String {
        format!("http://{}{LIVE_PATH}{subscription}", self.address)
    }

    /// The callback URL of a dead one.
    pub fn dead_url(&self, subscription: usize) -> String {
        format!("http://{}/dead/{subscription}", self.dead_address)
    }

    /// From now on, notes the deliveries of another phase.
    pub fn begin(&self, run: Run, ledger: Ledger) {
        *self.state.phase() = Phase { run, ledger };
    }

    /// From now on, dead subscriptions are answered like others, or not at all.
    pub fn answer_dead(&self, answer: bool) {
        self.state.dead_answer.store(answer, Ordering::Relaxed);
    }

    /// The most requests that were held at once without an answer.
    pub fn stuck_max(&self) -> u64 {
        self.state.stuck.most.load(Ordering::Relaxed)
    }

    /// What the ledger says.
    pub fn read<T>(&self, read: impl FnOnce(&Ledger) -> T) -> T {
        read(&self.state.phase().ledger)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was printed; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl State {
    /// A delivery is noted whole or not at all, so poison is no reason to stop.
    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(address)
        .with_context(|| format!("the receiver cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

async fn accept_live(listener: TcpListener, state: Arc<State>) {
    accept(listener, |stream| serve(stream, state.clone())).await;
}

async fn accept_dead(listener: TcpListener, state: Arc<State>) {
    accept(listener, |stream| serve_dead(stream, state.clone())).await;
}

async fn accept<F>(listener: TcpListener, handle: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(handle(stream));
            }
            // Out of files, most likely: others must end first.
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // Without it, answers of kept connections could wait for the sender's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| take(request, &state));
    // A connection that breaks is the server's to notice: what it carried was noted or not.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn serve_dead(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| hold(request, &state));
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn hold(
    request: Request<Incoming>,
    state: &State,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    collect(request.into_body()).await;
    if !state.dead_answer.load(Ordering::Relaxed) {
        let _held = Held::new(&state.stuck);
        std::future::pending::<()>().await;
    }
    Ok(answer(http::StatusCode::OK))
}

impl Held<'_> {
    fn new(stuck: &Stuck) -> Held<'_> {
        let now = stuck.now.fetch_add(1, Ordering::Relaxed) + 1;
        stuck.most.fetch_max(now, Ordering::Relaxed);
        Held(stuck)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn take(
    request: Request<Incoming>,
    state: &State,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let Some(payload) = collect(body).await else {
        return Ok(answer(http::StatusCode::PAYLOAD_TOO_LARGE));
    };
    let now = state.began.elapsed();
    let mut phase = state.phase();
    let marker = phase.run.find(&payload);
    if head.uri.path() != YARDSTICK_PATH {
        let subscription = head.uri.path().strip_prefix(LIVE_PATH);
        let subscription = subscription.and_then(|number| number.parse().ok());
        let place = place(&head.headers);
        phase
            .ledger
            .receive(subscription.unwrap_or(usize::MAX), marker, place, now);
    }
    Ok(answer(http::StatusCode::OK))
}

fn answer(status: http::StatusCode) -> Response<Empty<Bytes>> {
    let mut answer = Response::new(Empty::new());
    *answer.status_mut() = status;
    answer
}

fn place(headers: &HeaderMap) -> Option<Place> {
    let number = |name| headers.get(name)?.to_str().ok()?.parse().ok();
    Some(Place {
        order: number("postrider-order-id")?,
        sequence: number("postrider-sequence")?,
    })
}

/// The whole payload; none if it is too long or breaks off. Most come in one piece, which is not copied.
async fn collect(mut body: Incoming) -> Option<Bytes> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.ok()?.into_data() else {
            continue;
        };
        if first.is_empty() {
            first = data;
            continue;
        }
        if all.is_empty() {
            all.extend_from_slice(&first);
        }
        all.extend_from_slice(&data);
        if all.len() > PAYLOAD_BYTES_MAX {
            return None;
        }
    }
    Some(if all.is_empty() { first } else { all.freeze() })
}
