//! How an API route is declared, parsed, validated and documented; knows nothing of webhooks.
//!
//! A [`Route`] is constant data: where it is reached, which parameters it takes, within which
//! limits, and which [`Status`]es it may answer. Everything that depends on a route is derived from
//! that one declaration.
//!
//! A request passes these steps in this order; each works on what only the step before can give:
//!
//! 1. [`Route::read`] → [`Text`]: the content type, and base64 where the route is sensitive;
//! 2. [`Text::decode`] → [`Decoded`]: JSON, an object, not empty, a token is there;
//! 3. [`Decoded::token`]: what the caller must be recognised by, before anything else is said about
//!    the parameters;
//! 4. [`Decoded::into_input`] → [`Input`]: nothing required is missing;
//! 5. [`Input::finish`]: the handler's record, or every fault at once.
//!
//! A [`Reply`] or a [`Failure`] then becomes the answer. Deliberately absent: any server, any
//! authentication and any clock. The caller brings bytes and headers, and takes an
//! `http::Response`.

mod check;
mod decode;
mod example;
mod failure;
mod fault;
mod flaws;
mod given;
mod input;
mod json;
mod kind;
mod nearest;
pub mod openapi;
mod param;
mod path;
mod reply;
mod route;
mod shape;
pub mod status;
mod time;

pub use decode::{Decoded, Request, Text};
pub use example::tells_when_to_retry;
pub use failure::Failure;
pub use fault::Fault;
pub use given::Given;
pub use input::Input;
pub use kind::{JsonShape, Kind};
pub use nearest::nearest;
pub use param::{IDEMPOTENCY_KEY, Param, TOKEN, by_position};
pub use reply::Reply;
pub use route::{Method, Route};
pub use shape::{FAULT, Field, Record, Shape};
pub use status::Status;
