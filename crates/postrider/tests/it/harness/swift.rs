//! A receiver for very many deliveries: one thread, and nothing is kept but what the test notes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the test notes of a request.
type Note = dyn Fn(&Parts) + Send + Sync;

/// See the module. It runs until the test process ends.
pub struct Swift {
    pub address: SocketAddr,
    open: Arc<watch::Sender<bool>>,
}

impl Swift {
    /// A receiver that notes each request and then answers 200.
    pub fn start(note: impl Fn(&Parts) + Send + Sync + 'static) -> Swift {
        let open = Arc::new(watch::Sender::new(true));
        let (opened, note): (_, Arc<Note>) = (open.clone(), Arc::new(note));
        let address = serve(move |stream| connection(stream, note.clone(), opened.clone()));
        Swift { address, open }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on answers requests to `/held…`, or leaves them waiting until it does.
    pub fn open(&self, open: bool) {
        self.open.send_replace(open);
    }
}

/// Listens on loopback and handles each connection, all on one thread.
pub fn serve<F>(handle: impl Fn(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
    let address = listener.local_addr().expect("bound");
    listener.set_nonblocking(true).expect("set");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).expect("a listener");
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(handle(stream))),
                    // Out of files: others must end first.
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
    });
    address
}

async fn connection(stream: TcpStream, note: Arc<Note>, open: Arc<watch::Sender<bool>>) {
    // Without it, answers of kept connections could wait for the sender's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(request, &*note, &open));
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    request: Request<Incoming>,
    note: &Note,
    open: &watch::Sender<bool>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let _ = body.collect().await;
    note(&head);
    if head.uri.path().starts_with("/held") {
        let _ = open.subscribe().wait_for(|open| *open).await;
    }
    Ok(Response::new(Empty::new()))
}
