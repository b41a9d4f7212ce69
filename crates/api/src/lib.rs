//! The HTTP API: one file per route with its declaration, its types and its handler.
//!
//! A request goes through [`Api::answer`] (`server`): the endpoint is looked up (`endpoints`), the body read
//! (`body`), and the steps of `contract` are taken; the handler then asks `app`. A handler ends with a
//! reply or a `trouble`, which `server` makes into the answer, logging it once.
//!
//! To read a route, open `<service>/<action>.rs`: first what it declares, then its types, then what it
//! does. What several routes declare is in `params`, `listing`, `order_fields` and the service's `fields`.

mod apart;
mod api;
mod applications;
mod audit_events;
mod body;
mod call;
mod client_address;
mod clients;
mod created;
mod delivery_statistics;
mod endpoint;
mod endpoints;
mod health;
mod integrations;
mod list_items;
mod listing;
mod match_trace;
mod notifications;
mod openapi;
mod order_fields;
mod order_stages;
mod orders;
mod params;
mod payload_render_views;
mod recovery;
mod request_id;
mod routes;
mod server;
mod services;
mod sessions;
mod shapes;
#[cfg(test)]
mod tests;
mod trouble;
mod users;
mod webhook_jobs;
mod webhook_out_subs;

pub use api::{Api, Lookup, Settings};
pub use client_address::Peer;
pub use endpoints::all_routes;
pub use openapi::openapi;
pub use order_stages::stage::read_order_stage;
pub use server::router;
