//! The declarations as a whole, and the API over a real store, without sockets.

mod access;
mod account;
mod delivery_statistics;
mod faults;
mod harness;
mod matrix;
mod openapi;
mod people;
mod portal_links;
mod routes;
mod server;
mod views;
