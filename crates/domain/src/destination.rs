//! Where a delivery may go: the callback URL of a subscription and the addresses that are refused.
//!
//! The rules are pure. They are asked twice: when a subscription is stored (only literal addresses
//! and `localhost` can be judged then) and by `egress` for every address that a name resolves to.

mod callback_url;
mod policy;
mod reserved;
#[cfg(test)]
mod tests;

pub use callback_url::{CALLBACK_URL_CHARS_MAX, CallbackUrl, Origin, UrlFault};
pub use policy::{AllowFault, EgressPolicy, RefusedAddress};
