//! What an integration consists of.

use contract::{Input, Param};

/// Most characters of a key.
pub(crate) const KEY_CHARS_MAX: usize = 100;
/// Most characters of a name.
pub(crate) const NAME_CHARS_MAX: usize = 200;

/// Longest time that changes are kept, in days: ten years.
pub(crate) const RETENTION_DAYS_MAX: u32 = 3_650;

pub(crate) const ID: Param = Param::integer("id")
    .at(200)
    .required()
    .about("The id of the integration.");

pub(crate) const KEY: Param = Param::string("key").chars(1, KEY_CHARS_MAX).about(
    "Its name for machines, of letters, digits and _ . : - signs; unique among all integrations.",
);

pub(crate) const NAME: Param = Param::string("name")
    .chars(1, NAME_CHARS_MAX)
    .about("Its name for people.");

pub(crate) const RETENTION_DAYS: Param = Param::integer("retention_days")
    .range(1, RETENTION_DAYS_MAX as i64)
    .about(
        "How many days its changes are kept with their jobs, once all of these are final; when absent, as long as the \
         server's configuration says.",
    );

/// What `retention_days` says.
pub(crate) fn retention_days(input: &Input<'_>, name: &str) -> Option<u32> {
    input
        .integer(name)
        .and_then(|days| u32::try_from(days).ok())
}

/// A key of an integration or of a subscription.
pub(crate) fn key(text: &str) -> Result<String, &'static str> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    if text.chars().all(is_sign) {
        Ok(text.to_owned())
    } else {
        Err("may only hold the letters A to Z and a to z, digits, and the signs _ . : -")
    }
}
