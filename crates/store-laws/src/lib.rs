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

mod told;
mod world;

pub mod applications;
pub mod audit_events;
pub mod delivery_statistics;
pub mod integrations;
pub mod lanes;
pub mod list_items;
pub mod notifications;
pub mod order_stages;
pub mod ordering;
pub mod orders;
pub mod payload_render_views;
pub mod random;
pub mod recoveries;
pub mod registry;
pub mod rendering;
pub mod retention;
pub mod sessions;
pub mod troubles;
pub mod users;
pub mod webhook_job_lists;
pub mod webhook_jobs;
pub mod webhook_out_subs;

pub use told::{Event, Told};
pub use world::{
    Raw, START, Working, World, after, change, list, new_stage, new_sub, refused, searched, sorted,
};
