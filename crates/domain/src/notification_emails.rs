//! Whom to tell by mail: one string of addresses separated by commas.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::email_address::is_address;

/// Most addresses of a subscription: a mail to more people is a distribution list's job.
pub const NOTIFICATION_EMAILS_MAX: usize = 10;
/// One to [`NOTIFICATION_EMAILS_MAX`] addresses, shown as they were given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotificationEmails(String);

/// Why a text is no list of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EmailsFault {
    /// More than [`NOTIFICATION_EMAILS_MAX`].
    #[error("holds more than {NOTIFICATION_EMAILS_MAX} addresses; use a distribution list")]
    TooMany,
    /// One of them cannot be an address.
    #[error("address {0} of the list is no e-mail address; write for example ann@example.com")]
    NotAnAddress(usize),
}

impl NotificationEmails {
    /// The addresses, without the blanks around them. Only blanks: a line break in the list, which is kept as it
    /// was given, could end a mail's header early.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').map(|address| address.trim_matches(' '))
    }

    /// The text as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NotificationEmails {
    type Err = EmailsFault;

    fn from_str(text: &str) -> Result<NotificationEmails, EmailsFault> {
        let emails = NotificationEmails(text.to_owned());
        if emails.addresses().nth(NOTIFICATION_EMAILS_MAX).is_some() {
            return Err(EmailsFault::TooMany);
        }
        let bad = emails.addresses().position(|address| !is_address(address));
        match bad {
            Some(index) => Err(EmailsFault::NotAnAddress(index + 1)),
            None => Ok(emails),
        }
    }
}

impl fmt::Display for NotificationEmails {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl Serialize for NotificationEmails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NotificationEmails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_addresses_are_read() {
        let longest = format!("{}@{}.example.com", "a".repeat(64), "b".repeat(63));
        let cases = [
            ("ann@example.com", vec!["ann@example.com"]),
            (
                "ann@example.com, bob+x@mail.example.co.uk",
                vec!["ann@example.com", "bob+x@mail.example.co.uk"],
            ),
            ("ops@localhost", vec!["ops@localhost"]),
            (longest.as_str(), vec![longest.as_str()]),
        ];
        for (text, addresses) in cases {
            let emails: NotificationEmails = text.parse().expect(text);
            assert_eq!(emails.addresses().collect::<Vec<_>>(), addresses);
            assert_eq!(emails.as_str(), text);
        }
        let ten = ["a@b.c"; 10].join(",");
        assert!(ten.parse::<NotificationEmails>().is_ok());
    }

    #[test]
    fn the_first_that_is_no_address_is_named() {
        let cases = [
            ("", 1),
            ("ann", 1),
            ("ann@", 1),
            ("@example.com", 1),
            ("ann@example..com", 1),
            ("ann@-example.com", 1),
            ("ann@example-.com", 1),
            ("an n@example.com", 1),
            (".ann@example.com", 1),
            ("a..b@example.com", 1),
            ("ann@exam_ple.com", 1),
            ("ann@example.com,", 2),
            ("ann@example.com, bob", 2),
            ("Ann <ann@example.com>", 1),
            ("ann@example.com\r\n", 1),
            ("ann@example.com\r\n,bob@example.com", 1),
            ("ann@example.com,\nbob@example.com", 2),
            ("ann@example.com,\tbob@example.com", 2),
        ];
        for (text, number) in cases {
            assert_eq!(
                text.parse::<NotificationEmails>(),
                Err(EmailsFault::NotAnAddress(number)),
                "{text}"
            );
        }
        let local = format!("{}@b.c", "a".repeat(65));
        let label = format!("a@{}.c", "b".repeat(64));
        let whole = format!("a@{}", vec!["b".repeat(60); 5].join("."));
        for text in [local, label, whole] {
            assert!(!is_address(&text), "{text}");
        }
        let eleven = ["a@b.c"; 11].join(",");
        assert_eq!(
            eleven.parse::<NotificationEmails>(),
            Err(EmailsFault::TooMany)
        );
    }
}
