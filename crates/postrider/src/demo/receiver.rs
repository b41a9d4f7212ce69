//! The demo's receiver: refuses one delivery once, so that a retry can be seen, and hands on what came.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::serve::Listener;

/// Deliveries that are kept until they are looked at.
const DELIVERIES_KEPT: usize = 1_000;
/// Connections at once.
const CONNECTIONS_MAX: u64 = 100;
/// What is found in the body of the delivery that is refused once.
const REFUSED_ONCE: &str = "DEMO-1002";

/// A delivery as it came.
pub struct Delivery {
    pub headers: HeaderMap,
    pub body: Bytes,
    /// How it was answered.
    pub answered: StatusCode,
}

/// See the module.
pub struct DemoReceiver {
    address: SocketAddr,
    deliveries: mpsc::Receiver<Delivery>,
    _listener: Listener,
}

#[derive(Clone)]
struct Kept {
    deliveries: mpsc::Sender<Delivery>,
    refused: Arc<AtomicBool>,
}

impl DemoReceiver {
    /// Starts a receiver on loopback.
    pub async fn start() -> anyhow::Result<DemoReceiver> {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .context("loopback cannot be listened on")?;
        let address = listener.local_addr()?;
        let (sender, deliveries) = mpsc::channel(DELIVERIES_KEPT);
        let kept = Kept {
            deliveries: sender,
            refused: Arc::default(),
        };
        let router = Router::new()
            .route("/orders", post(receive))
            .with_state(kept);
        Ok(DemoReceiver {
            address,
            deliveries,
            _listener: Listener::start(listener, router, CONNECTIONS_MAX)?,
        })
    }

    /// The callback URL.
    pub fn url(&self) -> String {
        format!("http://{}/orders", self.address)
    }

    /// The next delivery.
    pub async fn next(&mut self) -> Option<Delivery> {
        self.deliveries.recv().await
    }
}

async fn receive(State(kept): State<Kept>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let is_meant = String::from_utf8_lossy(&body).contains(REFUSED_ONCE);
    let answered = if is_meant && !kept.refused.swap(true, Ordering::SeqCst) {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    let delivery = Delivery {
        headers,
        body,
        answered,
    };
    // Nobody looks any more once the demo ends.
    drop(kept.deliveries.send(delivery).await);
    answered
}
