//! Outgoing HTTP for webhook deliveries: resolve, check, connect, send, read with bounds.
//!
//! One exchange is one POST, over HTTP/2 where the receiver offers it under TLS, else over HTTP/1.1. Deliberately absent: redirects are answers like any other,
//! proxies of the environment are not asked, compressed answers are neither requested nor inflated,
//! and nothing is sent twice that the receiver may have processed.
//!
//! The order of an exchange, a file each: [`client`] holds the deadline, `pool` an idle connection,
//! `resolve` and `connect` a new one over checked addresses, `tls` its protection, `http1` and `http2`
//! how a request goes over it, `exchange` the request and its answer, [`fault`] what went wrong in plain words.

pub mod client;
mod connect;
mod connection;
mod exchange;
pub mod fault;
mod http1;
mod http2;
mod pool;
mod resolve;
mod tls;

pub use client::{Answering, Client, ClientConfig, Exchange, InProcess, Phase, Timing};
pub use exchange::{
    ANSWER_BODY_BYTES_KEPT, ANSWER_BODY_BYTES_READ_MAX, ANSWER_HEAD_BYTES_MAX, Answer,
    is_set_by_egress,
};
pub use fault::{ConnectFault, Fault, ProtocolFault, TlsFault};
pub use http2::STREAMS_MAX;
pub use pool::{IDLE_MAX, IDLE_PER_ORIGIN_MAX, IDLE_SECONDS_MAX, PoolLimits};
pub use resolve::{Lookup, Resolver};
pub use tls::ConfigFault;
