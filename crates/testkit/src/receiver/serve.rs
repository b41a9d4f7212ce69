//! The connections of a receiver.

use std::future::pending;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::reply::{AnswerBody, Reply};
use super::{Received, Shared};

/// Largest body that is kept: many times the largest payload.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Closes the connection without an answer.
#[derive(Debug, thiserror::Error)]
enum Closed {
    #[error("the test wants the connection closed")]
    OnPurpose,
    #[error("the body did not arrive whole: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
}

/// Counts a request as unanswered for as long as it lives, also when the client gives up.
struct Open {
    shared: Arc<Shared>,
    path: String,
}

/// Accepts connections until it is dropped, and they with it.
pub(super) async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // What failed is a client that left before it was greeted.
                let Ok((stream, _)) = accepted else { continue };
                let shared = shared.clone();
                let service = service_fn(move |request| answer(shared.clone(), request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move {
                    // Clients that give up and replies that break the connection are the purpose.
                    let _ = connection.await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Closed> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    let received = Received {
        method: head.method,
        path: head.uri.path().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers,
        body: body.map_err(Closed::Body)?.to_bytes(),
    };
    let mut reply = shared.script(|script| script.next(&received.path));
    let _open = Open::begin(&shared, received);
    loop {
        reply = match reply {
            Reply::Answer(answer) => return Ok(answer.into_response()),
            Reply::Silence => pending().await,
            Reply::Close => return Err(Closed::OnPurpose),
            Reply::Gated(gate, then) => {
                gate.released().await;
                *then
            }
        };
    }
}

impl Open {
    fn begin(shared: &Arc<Shared>, received: Received) -> Open {
        let path = received.path.clone();
        shared.seen.send_modify(|seen| {
            let in_flight = seen.in_flight.entry(path.clone()).or_default();
            in_flight.now += 1;
            in_flight.most = in_flight.most.max(in_flight.now);
            seen.requests.push(received);
        });
        Open {
            shared: shared.clone(),
            path,
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.seen.send_modify(|seen| {
            seen.in_flight.entry(self.path.clone()).or_default().now -= 1;
        });
    }
}
