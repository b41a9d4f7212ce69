//! The use cases with their authorisation, shared by the API, the pages and the command line.
//!
//! A caller is first recognised ([`App::authenticate`]), then let into an integration ([`App::scope`]);
//! whatever happens inside one takes the [`Scope`] that proves it. What a caller may not see looks
//! exactly like what does not exist. Nothing here knows of HTTP.

mod access;
mod app;
mod applications;
mod audit_events;
mod caller;
mod denied;
mod first_run;
mod idempotency;
mod integrations;
mod last_use;
mod list_items;
mod mailer;
mod notifications;
mod order_stages;
mod orders;
mod password;
mod payload_render_views;
mod portal_links;
mod recent;
mod recoveries;
mod registry;
mod sessions;
mod throttle;
mod underway;
mod users;
mod webhook_jobs;
mod webhook_out_subs;

pub use access::Access;
pub use app::App;
pub use caller::{Caller, Principal, Scope};
pub use denied::{DOES_NOT_EXIST, Denied};
pub use idempotency::request_hash;
pub use mailer::{MailFailed, Mailer};
pub use portal_links::{NewPortalLink, PORTAL_LINK_ROUTE};
pub use recoveries::Enabled;
pub use sessions::{NewSession, SignIn, Use};
pub use underway::Underway;
