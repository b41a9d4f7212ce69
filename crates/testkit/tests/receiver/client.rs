//! A client that sends one request over a connection of its own.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use testkit::Receiver;
use tokio::net::TcpStream;

/// POSTs the body to a path, and gives the answer as soon as its head is there.
pub async fn post(
    receiver: &Receiver,
    path: &str,
    body: &'static str,
) -> hyper::Result<Response<Incoming>> {
    let stream = TcpStream::connect(receiver.address())
        .await
        .expect("the receiver listens");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::post(path)
        .header("host", receiver.address().to_string())
        .header("webhook-id", "msg_1")
        .body(Full::new(Bytes::from_static(body.as_bytes())))
        .expect("a request");
    sender.send_request(request).await
}

/// The status that a POST to a path is answered with.
pub async fn status(receiver: &Receiver, path: &str) -> u16 {
    let answer = post(receiver, path, "{}").await.expect("an answer");
    answer.status().as_u16()
}
