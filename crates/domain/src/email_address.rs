//! One e-mail address.

use std::fmt;
use std::str::FromStr;

/// Longest address in characters (RFC 5321 section 4.5.3.1.3, less the brackets of a path).
pub const ADDRESS_CHARS_MAX: usize = 254;
/// Longest part before the @ in characters (RFC 5321 section 4.5.3.1.1).
const LOCAL_PART_CHARS_MAX: usize = 64;
/// Longest label of a domain in characters (RFC 1035 section 2.3.4).
const LABEL_CHARS_MAX: usize = 63;
/// What may stand before the @ beside letters and digits (RFC 5322 section 3.2.3, with the dot). Quoted
/// forms are left out: nobody uses them, and they confuse the people who read the list.
const LOCAL_PART_SIGNS: &str = "!#$%&'*+-/=?^_`{|}~.";

/// An address as it was given. Two spellings that differ in the case of their letters are one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailAddress(String);

/// The text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no e-mail address; write for example ann@example.com")]
pub struct NotAnAddress;

impl EmailAddress {
    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for all spellings of an address.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl FromStr for EmailAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<EmailAddress, NotAnAddress> {
        if is_address(text) {
            Ok(EmailAddress(text.to_owned()))
        } else {
            Err(NotAnAddress)
        }
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Whether mail can be sent there, as far as its spelling tells.
pub fn is_address(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    address.len() <= ADDRESS_CHARS_MAX && is_local_part(local) && is_domain(domain)
}

fn is_local_part(local: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || LOCAL_PART_SIGNS.contains(c);
    (1..=LOCAL_PART_CHARS_MAX).contains(&local.len())
        && local.chars().all(is_sign)
        && local.split('.').all(|atom| !atom.is_empty())
}

fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.split('.').all(is_label)
}
