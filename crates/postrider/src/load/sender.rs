//! One kept connection to the server that is measured: a request at a time, reopened when it breaks.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use egress::Driver;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::target::Node;

/// How long an answer may take, in seconds: far longer than the server's own deadlines.
const ANSWER_SECONDS_MAX: u64 = 30;
/// Largest answer in bytes: the receipts of 1,000 changes that make 1,000 jobs each have some 45 MB.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A connection, open or not.
pub struct Sender {
    address: SocketAddr,
    headers: HeaderMap,
    connection: Option<Connection>,
}

struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// Why no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendFault {
    /// The address does not accept connections.
    #[error("no connection")]
    NoConnection,
    /// The connection broke while the answer was awaited.
    #[error("connection broken")]
    Broken,
    /// The answer took longer than [`ANSWER_SECONDS_MAX`].
    #[error("no answer in {ANSWER_SECONDS_MAX} s")]
    TimedOut,
    /// A batch was answered with 200, and not with a receipt for each of its changes.
    #[error("receipts missing")]
    NoReceipts,
}

impl Sender {
    /// A connection to this node, opened with the first request.
    pub fn new(node: &Node) -> Sender {
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(HOST, node.host.clone()), (CONTENT_TYPE, json)]);
        Sender {
            address: node.address,
            headers,
            connection: None,
        }
    }

    /// POSTs JSON; the status of the answer, whose body is read and dropped.
    ///
    /// # Errors
    /// No answer came.
    pub async fn post(&mut self, uri: &Uri, body: Vec<u8>) -> Result<StatusCode, SendFault> {
        let exchange = async {
            let (connection, status, mut body) = self.send(uri, body).await?;
            while let Some(frame) = connection.driver.during(pin!(body.frame())).await {
                frame.map_err(|_| SendFault::Broken)?;
            }
            Ok(status)
        };
        let result = within(exchange).await;
        self.settle(result)
    }

    /// POSTs JSON; the status and the body of the answer.
    ///
    /// # Errors
    /// No answer came, or one that is too long.
    pub async fn ask(
        &mut self,
        uri: &Uri,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), SendFault> {
        let exchange = async {
            let (connection, status, body) = self.send(uri, body).await?;
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect();
            let body = connection.driver.during(pin!(body)).await;
            Ok((status, body.map_err(|_| SendFault::Broken)?.to_bytes()))
        };
        let result = within(exchange).await;
        self.settle(result)
    }

    async fn send(
        &mut self,
        uri: &Uri,
        body: Vec<u8>,
    ) -> Result<(&mut Connection, StatusCode, Incoming), SendFault> {
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = self.headers.clone();
        let connection = self.connection().await?;
        let answer = connection.sender.send_request(request);
        let answer = connection.driver.during(pin!(answer)).await;
        let (head, body) = answer.map_err(|_| SendFault::Broken)?.into_parts();
        Ok((connection, head.status, body))
    }

    /// The open connection; a new one where there is none or the server has closed it.
    async fn connection(&mut self) -> Result<&mut Connection, SendFault> {
        let kept = match self.connection.take() {
            Some(mut kept) => {
                let ready = kept.driver.during(pin!(kept.sender.ready())).await;
                ready.is_ok().then_some(kept)
            }
            None => None,
        };
        let connection = match kept {
            Some(kept) => kept,
            None => connect(self.address).await.ok_or(SendFault::NoConnection)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// A connection whose answer did not come whole is not used again.
    fn settle<T>(&mut self, result: Result<T, SendFault>) -> Result<T, SendFault> {
        if result.is_err() {
            self.connection = None;
        }
        result
    }
}

async fn within<T>(exchange: impl Future<Output = Result<T, SendFault>>) -> Result<T, SendFault> {
    let deadline = Duration::from_secs(ANSWER_SECONDS_MAX);
    let result = tokio::time::timeout(deadline, exchange).await;
    result.unwrap_or(Err(SendFault::TimedOut))
}

async fn connect(address: SocketAddr) -> Option<Connection> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let driver = Driver::new(connection);
    Some(Connection { sender, driver })
}
