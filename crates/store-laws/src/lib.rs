//! What every store must do, whichever engine keeps what is kept.
//!
//! A law is a function over a [`World`]: a store that was just made, with one integration. Each file ends with the list of its
//! laws, a macro that hands them to another one, so that an engine makes each its own test:
//!
//! ```text
//! macro_rules! judge {
//!     ($module:ident: $($law:ident),+ $(,)?) => { mod $module { $(
//!         #[tokio::test]
//!         async fn $law() { store_laws::$module::$law(&super::world().await).await; }
//!     )+ } };
//! }
//! store_laws::applications_laws!(judge);
//! ```
//!
//! A law asks for the traits that it needs and no more, so that an engine can be judged while it is built.
#![expect(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "laws are tests: what does not hold ends in a panic, and their names say what they say"
)]

mod world;

pub mod applications;
pub mod audit_events;
pub mod integrations;
pub mod list_items;
pub mod notifications;
pub mod payload_render_views;
pub mod registry;
pub mod sessions;
pub mod users;

pub use world::{Raw, START, World, after, change, list, refused, searched, sorted};
