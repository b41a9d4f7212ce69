//! A server that keeps nothing: it delivers each change to the integration's subscriptions, one at a time
//! in the order of acceptance, after it has answered.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the server does wrong, to the how-manieth change (from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    Loses(u64),
    Repeats(u64),
    /// Delivers it after the second next: the next of the same one of two orders.
    Swaps(u64),
    Refuses(u64),
    RefusesToken,
}

pub struct Stub {
    address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    integrations: i64,
    callback_urls: HashMap<i64, Vec<Uri>>,
    changes: u64,
    sequences: HashMap<String, u64>,
}

struct Change {
    callback_urls: Vec<Uri>,
    order: u64,
    sequence: u64,
    payload: String,
}

impl Stub {
    pub fn start(fault: Fault) -> Stub {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(stopping.run_until_cancelled(serve(listener, fault)));
        });
        Stub {
            address,
            stop,
            thread: Some(thread),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, fault: Fault) {
    let state = Arc::new(Mutex::new(State::default()));
    let (changes, queue) = mpsc::unbounded_channel();
    tokio::spawn(deliver_all(queue, fault));
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let (state, changes) = (state.clone(), changes.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, &state, &changes, fault));
            let connection = hyper::server::conn::http1::Builder::new();
            let _ = connection
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    state: &Mutex<State>,
    changes: &mpsc::UnboundedSender<Change>,
    fault: Fault,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let body = request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    let (code, status, data) = handle(
        &path,
        body,
        &mut state.lock().expect("state"),
        changes,
        fault,
    );
    let body = json!({ "code": code, "status": status, "data": data });
    let mut answer = Response::new(Full::from(body.to_string()));
    *answer.status_mut() = StatusCode::from_u16(code).expect("a status");
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert("content-type", json);
    Ok(answer)
}

fn handle(
    path: &str,
    body: Value,
    state: &mut State,
    changes: &mpsc::UnboundedSender<Change>,
    fault: Fault,
) -> (u16, &'static str, Value) {
    assert_eq!(body["token"], "t");
    if fault == Fault::RefusesToken {
        return (401, "invalid-token", Value::Null);
    }
    let integration = body["integration_id"].as_i64().unwrap_or_default();
    match path {
        "/api/v1/integrations/create" => {
            state.integrations += 1;
            let id = state.integrations;
            (200, "action-successful", json!({ "id": id }))
        }
        "/api/v1/webhook_out_subs/create" => {
            let url = body["callback_url"]
                .as_str()
                .expect("a URL")
                .parse()
                .expect("a URL");
            let urls = state.callback_urls.entry(integration).or_default();
            urls.push(url);
            (200, "action-successful", json!({ "id": urls.len() }))
        }
        "/api/v1/order_stages/create" => take(integration, &body, state, changes, fault),
        "/api/v1/order_stages/create_many" => {
            let stages = body["stages"].as_array().expect("changes");
            let receipts: Vec<Value> = stages
                .iter()
                .map(|stage| {
                    let (code, status, data) = take(integration, stage, state, changes, fault);
                    json!({ "code": code, "status": status, "data": data })
                })
                .collect();
            (200, "action-successful", Value::from(receipts))
        }
        path => panic!("{path} is not asked for"),
    }
}

/// Takes one change, alone or of a batch.
fn take(
    integration: i64,
    change: &Value,
    state: &mut State,
    changes: &mpsc::UnboundedSender<Change>,
    fault: Fault,
) -> (u16, &'static str, Value) {
    state.changes += 1;
    if fault == Fault::Refuses(state.changes) {
        return (503, "store-unavailable", Value::Null);
    }
    let name = change["external_order_id"]
        .as_str()
        .expect("a name")
        .to_owned();
    let count = state.sequences.len() as u64;
    let sequence = state.sequences.entry(name.clone()).or_default();
    *sequence += 1;
    let order = name
        .rsplit('-')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(count);
    let change = Change {
        callback_urls: state
            .callback_urls
            .get(&integration)
            .cloned()
            .unwrap_or_default(),
        order,
        sequence: *sequence,
        payload: json!({ "name": name, "metadata": change["order"]["metadata"] }).to_string(),
    };
    changes.send(change).expect("is received");
    (200, "action-successful", json!({ "id": state.changes }))
}

async fn deliver_all(mut changes: mpsc::UnboundedReceiver<Change>, fault: Fault) {
    let mut count = 0;
    let mut late = None;
    while let Some(change) = changes.recv().await {
        count += 1;
        match fault {
            Fault::Loses(number) if number == count => continue,
            Fault::Swaps(number) if number == count => {
                late = Some(change);
                continue;
            }
            Fault::Repeats(number) if number == count => deliver(&change).await,
            _ => {}
        }
        deliver(&change).await;
        if count > 2 && fault == Fault::Swaps(count - 2) {
            deliver(&late.take().expect("was kept")).await;
        }
    }
}

async fn deliver(change: &Change) {
    for url in &change.callback_urls {
        let send = post(
            url.clone(),
            change.order,
            change.sequence,
            change.payload.clone(),
        );
        // A dead one never answers, so nothing is waited for.
        match url.path().starts_with("/dead/") {
            true => drop(tokio::spawn(send)),
            false => send.await,
        }
    }
}

async fn post(url: Uri, order: u64, sequence: u64, payload: String) {
    let host = url.authority().expect("a host");
    let mut stream = TcpStream::connect(host.as_str()).await.expect("a receiver");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: {host}\r\npostrider-order-id: {order}\r\npostrider-sequence: {sequence}\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{payload}",
        url.path(),
        payload.len()
    );
    stream.write_all(head.as_bytes()).await.expect("is open");
    let mut answer = Vec::new();
    // The receiver goes when the run is over.
    if stream.read_to_end(&mut answer).await.is_ok() && !url.path().starts_with("/dead/") {
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
    }
}
