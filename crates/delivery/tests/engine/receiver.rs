//! A receiver that answers each path as the test decides, and keeps what arrived.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use domain::destination::CallbackUrl;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How a path answers; without being told, with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// With this status, and perhaps a header.
    Status(u16, Option<(&'static str, String)>),
    /// Not until the path is told something else.
    Hold,
}

impl Reply {
    pub fn status(status: u16) -> Reply {
        Reply::Status(status, None)
    }
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Arrived {
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        Some(value.to_str().expect("our headers are text"))
    }

    /// The payloads of the model are the job's number.
    pub fn job(&self) -> i64 {
        let body = std::str::from_utf8(&self.body).expect("is text");
        body.parse().expect("is a number")
    }
}

#[derive(Clone)]
pub struct Receiver {
    pub address: SocketAddr,
    replies: watch::Sender<HashMap<String, Reply>>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    arrived: Vec<Arrived>,
    /// Requests that are not answered yet, and the most that there were, by path.
    open: HashMap<String, (usize, usize)>,
}

impl Receiver {
    pub async fn start() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback can be listened on");
        let receiver = Receiver {
            address: listener.local_addr().expect("is bound"),
            replies: watch::Sender::new(HashMap::new()),
            seen: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                let service = service_fn(move |request| serving.clone().answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        receiver
    }

    pub fn url(&self, path: &str) -> CallbackUrl {
        CallbackUrl::parse(&format!("http://{}{path}", self.address)).expect("is a URL")
    }

    /// From now on this path answers so, those that are held included.
    pub fn reply(&self, path: &str, reply: Reply) {
        self.replies.send_modify(|replies| {
            replies.insert(path.to_owned(), reply);
        });
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.seen
            .lock()
            .expect("no test panics in here")
            .arrived
            .clone()
    }

    /// The jobs that arrived at a path, in that order.
    pub fn jobs(&self, path: &str) -> Vec<i64> {
        let arrived = self.arrived();
        let here = arrived.iter().filter(|arrived| arrived.path == path);
        here.map(Arrived::job).collect()
    }

    pub fn count(&self, path: &str) -> usize {
        let seen = self.seen.lock().expect("no test panics in here");
        seen.arrived.iter().filter(|one| one.path == path).count()
    }

    /// Requests that a path has not answered yet, and the most that there ever were.
    pub fn open(&self, path: &str) -> (usize, usize) {
        let seen = self.seen.lock().expect("no test panics in here");
        seen.open.get(path).copied().unwrap_or_default()
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        let body = body.collect().await.expect("the body comes").to_bytes();
        self.note(|seen| {
            let open = seen.open.entry(path.clone()).or_default();
            open.0 += 1;
            open.1 = open.1.max(open.0);
            seen.arrived.push(Arrived {
                path: path.clone(),
                headers: head.headers,
                body,
            });
        });
        let mut replies = self.replies.subscribe();
        let replies = replies
            .wait_for(|replies| replies.get(&path) != Some(&Reply::Hold))
            .await
            .expect("the receiver outlives its requests")
            .clone();
        self.note(|seen| seen.open.entry(path.clone()).or_default().0 -= 1);
        let mut response = Response::new(Full::new(Bytes::from_static(b"seen")));
        if let Some(Reply::Status(status, header)) = replies.get(&path) {
            *response.status_mut() = (*status).try_into().expect("is a status");
            if let Some((name, value)) = header {
                let value = value.parse().expect("is a header");
                response.headers_mut().insert(*name, value);
            }
        }
        Ok(response)
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().expect("no test panics in here"));
    }
}
