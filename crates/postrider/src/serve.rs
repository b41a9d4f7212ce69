//! The HTTP server: connections in, requests to the router, an orderly end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::Peer;
use axum::Router;
use axum::body::Body;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tower_service::Service;

/// How long a client may take to send the head of a request, in seconds; also how long a kept connection
/// may be idle, since it waits for the next head.
const HEAD_SECONDS_MAX: u64 = 60;
/// How long accepting rests when the system has no file left, in milliseconds.
const ACCEPT_REST_MILLISECONDS: u64 = 50;

/// A listener that answers.
pub struct Listener {
    address: SocketAddr,
    stopping: CancellationToken,
    accepting: JoinHandle<GracefulShutdown>,
}

impl Listener {
    /// Answers what comes, on up to `connections_max` connections at once; more wait to be accepted.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn start(
        listener: TcpListener,
        router: Router,
        connections_max: u64,
    ) -> std::io::Result<Listener> {
        let address = listener.local_addr()?;
        let stopping = CancellationToken::new();
        let permits = usize::try_from(connections_max).unwrap_or(usize::MAX);
        let permits = Arc::new(Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS)));
        let accepting = tokio::spawn(accept(listener, router, permits, stopping.clone()));
        Ok(Listener {
            address,
            stopping,
            accepting,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, and lets requests that are under way end within the grace.
    pub async fn stop(self, grace: Duration) {
        self.stopping.cancel();
        let Ok(connections) = self.accepting.await else {
            return;
        };
        if tokio::time::timeout(grace, connections.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("some clients were cut off: the grace of the shutdown is over");
        }
    }
}

async fn accept(
    listener: TcpListener,
    router: Router,
    permits: Arc<Semaphore>,
    stopping: CancellationToken,
) -> GracefulShutdown {
    let connections = GracefulShutdown::new();
    loop {
        let permit = tokio::select! {
            () = stopping.cancelled() => return connections,
            permit = permits.clone().acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stopping.cancelled() => return connections,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = serve(stream, Peer(peer), router.clone(), connections.watcher());
                tokio::spawn(async move {
                    serving.await;
                    drop(permit);
                });
            }
            // The client is gone already, or no file is left; either passes.
            Err(error) => {
                tracing::debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(ACCEPT_REST_MILLISECONDS)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, peer: Peer, router: Router, watcher: Watcher) {
    // Answers are written whole; waiting for more to send would only delay them.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let mut router = router.clone();
        async move { Ok::<_, Infallible>(answer(&mut router, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off is no event: its requests have been logged.
    drop(watcher.watch(connection).await);
}

async fn answer(router: &mut Router, request: Request<Incoming>) -> http::Response<Body> {
    let Ok(response) = router.call(request.map(Body::new)).await;
    response
}
