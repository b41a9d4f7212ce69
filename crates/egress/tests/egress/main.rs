//! Exchanges over real sockets on loopback, with receivers that behave well and badly.

mod guard;
mod hostile;
mod keep_alive;
mod receiver;
mod requests;
mod tls;
